/** RMSNorm in training: forward, and the gradients of its input and of its gain. */
import type { Parameter } from "./parameters.js";
import type { TrainingParts } from "./parts.js";

/** A run of tokens. */
export type Tokens = readonly [first: number, n: number];

export class Norms {
  readonly #parts: TrainingParts;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
  }

  /** y = RMSNorm(x) of some tokens; addresses are those of token 0 */
  forward(yPtr: number, xPtr: number, norm: Parameter, [first, n]: Tokens): void {
    const { config, buffers, kernels } = this.#parts;
    const offset = first * norm.cols * 4;
    const gainPtr = buffers.values + norm.offset * 4;
    kernels.rmsnormF32(yPtr + offset, xPtr + offset, gainPtr, n, norm.cols, config.rmsNormEps);
  }

  /** dx += the gradient of RMSNorm in x, of some tokens; addresses are those of token 0 */
  toInput(
    dxPtr: number,
    xPtr: number,
    { offset, cols }: Parameter,
    dyPtr: number,
    [first, n]: Tokens,
  ): void {
    const { config, buffers, kernels } = this.#parts;
    const at = first * cols * 4;
    const gain = buffers.values + offset * 4;
    kernels.rmsnormGrad(dxPtr + at, xPtr + at, gain, dyPtr + at, n, cols, config.rmsNormEps);
  }

  /** The gain's gradient over all tokens: this thread's share of its columns. */
  toGain({ offset, cols }: Parameter, xPtr: number, dyPtr: number): void {
    const { config, buffers, kernels, member, sizes } = this.#parts;
    const [first, end] = member.share(cols, 4);
    const gain = buffers.gradients + offset * 4;
    const eps = config.rmsNormEps;
    kernels.rmsnormGainGrad(gain, xPtr, dyPtr, sizes.tokens, cols, first, end, eps);
  }
}
