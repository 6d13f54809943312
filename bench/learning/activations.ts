/**
 * The activations that squared ReLU is compared with, forward and backward, in plain loops over the
 * rows that `up` makes of a token, and over the gradient of their result.
 */

/** An activation of a dense MLP. */
export interface Activation {
  /** Rows of `up` for each row of `down`: 2 if a gate comes first. */
  readonly upRows: 1 | 2;
  /** hidden[width] of up[upRows * width] */
  forward(hidden: Float32Array, up: Float32Array): void;
  /** dUp from dHidden, at `up` */
  backward(dUp: Float32Array, dHidden: Float32Array, up: Float32Array): void;
}

/** sqrt(8 / pi): GELU's tanh form is x sigmoid(this (x + 0.044715 x^3)). */
const GELU_SCALE = 2 * Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** GELU in its tanh form (Hendrycks and Gimpel 2016), as in GPT-2. */
export const GELU: Activation = {
  upRows: 1,
  forward(hidden, up) {
    for (let i = 0; i < hidden.length; i++) {
      const x = up[i];
      hidden[i] = x * sigmoid(GELU_SCALE * x * (1 + GELU_CUBIC * x * x));
    }
  },
  backward(dUp, dHidden, up) {
    for (let i = 0; i < dHidden.length; i++) {
      const x = up[i];
      const s = sigmoid(GELU_SCALE * x * (1 + GELU_CUBIC * x * x));
      const slope = GELU_SCALE * (1 + 3 * GELU_CUBIC * x * x);
      dUp[i] = dHidden[i] * (s + x * s * (1 - s) * slope);
    }
  },
};

/** SwiGLU (Shazeer 2020): silu(gate) times up; `up` is [gate | up]. */
export const SWIGLU: Activation = {
  upRows: 2,
  forward(hidden, up) {
    const width = hidden.length;
    for (let i = 0; i < width; i++) hidden[i] = up[i] * sigmoid(up[i]) * up[width + i];
  },
  backward(dUp, dHidden, up) {
    const width = dHidden.length;
    for (let i = 0; i < width; i++) {
      const [gate, linear] = [up[i], up[width + i]];
      const s = sigmoid(gate);
      dUp[i] = dHidden[i] * linear * s * (1 + gate * (1 - s));
      dUp[width + i] = dHidden[i] * gate * s;
    }
  },
};
