// AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).

//   Hyper, 32 bytes
//   +---------------------------------------------------------------+
//   |  0  f32  rate                                                 |
//   |  4  f32  beta1                                                |
//   |  8  f32  beta2                                                |
//   | 12  f32  epsilon                                              |
//   | 16  f32  weightDecay                                          |
//   | 20  f32  1 / (1 - beta1^t) of step t, from 1                  |
//   | 24  f32  1 / (1 - beta2^t)                                    |
//   | 28  f32  gradScale: what gradients are multiplied by          |
//   +---------------------------------------------------------------+

/**
 * g' = g gradScale, m = beta1 m + (1 - beta1) g', v = beta2 v + (1 - beta2) g'^2,
 * p -= rate (mHat / (sqrt(vHat) + epsilon) + weightDecay p)
 *
 *   p       f32[n]   in and out: parameters
 *   g       f32[n]   gradients
 *   m, v    f32[n]   in and out: their running mean and mean square, 0 before the first step
 *   hyper   Hyper
 *
 * Any n and alignment. An element's result does not depend on its position.
 */
export function adamw(p: usize, g: usize, m: usize, v: usize, n: i32, hyper: usize): void {
  const bytes = <usize>n << 2;
  const vectorBytes = <usize>(n & ~3) << 2;
  let i: usize = 0;
  for (; i < vectorBytes; i += 16) {
    const grad = f32x4.mul(v128.load(g + i), v128.load32_splat(hyper, 28));
    const mean = runningMean(v128.load(m + i), grad, v128.load32_splat(hyper, 4));
    const square = f32x4.mul(grad, grad);
    const meanSquare = runningMean(v128.load(v + i), square, v128.load32_splat(hyper, 8));
    v128.store(m + i, mean);
    v128.store(v + i, meanSquare);
    v128.store(p + i, stepped(v128.load(p + i), mean, meanSquare, hyper));
  }
  for (; i < bytes; i += 4) {
    const grad = f32x4.mul(v128.load32_zero(g + i), v128.load32_splat(hyper, 28));
    const mean = runningMean(v128.load32_zero(m + i), grad, v128.load32_splat(hyper, 4));
    const square = f32x4.mul(grad, grad);
    const meanSquare = runningMean(v128.load32_zero(v + i), square, v128.load32_splat(hyper, 8));
    v128.store_lane<f32>(m + i, mean, 0);
    v128.store_lane<f32>(v + i, meanSquare, 0);
    v128.store_lane<f32>(p + i, stepped(v128.load32_zero(p + i), mean, meanSquare, hyper), 0);
  }
}

// @ts-ignore: decorator
@inline
function runningMean(mean: v128, value: v128, beta: v128): v128 {
  const rest = f32x4.sub(f32x4.splat(1), beta);
  return f32x4.add(f32x4.mul(beta, mean), f32x4.mul(rest, value));
}

// @ts-ignore: decorator
@inline
function stepped(p: v128, mean: v128, meanSquare: v128, hyper: usize): v128 {
  const meanHat = f32x4.mul(mean, v128.load32_splat(hyper, 20));
  const root = f32x4.sqrt(f32x4.mul(meanSquare, v128.load32_splat(hyper, 24)));
  const direction = f32x4.div(meanHat, f32x4.add(root, v128.load32_splat(hyper, 12)));
  const decay = f32x4.mul(p, v128.load32_splat(hyper, 16));
  return f32x4.sub(p, f32x4.mul(v128.load32_splat(hyper), f32x4.add(direction, decay)));
}
