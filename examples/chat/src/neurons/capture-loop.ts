/** Asks the model which neurons fire, as long as somebody looks; never while nobody does. */
import type { ActivationCapture, Model } from "plm-wasm";

/** At most so often: twenty times a second. */
const LEAST_MS = 50;

const nextFrame = (): Promise<number> => new Promise(requestAnimationFrame);

/** Calls `onCapture` for tokens that are decoded, until the signal aborts. */
export async function captureUntil(
  signal: AbortSignal,
  model: Model,
  onAsk: () => void,
  onCapture: (capture: ActivationCapture) => void,
): Promise<void> {
  let lastMs = 0;
  while (!signal.aborted) {
    const nowMs = await nextFrame();
    if (nowMs - lastMs < LEAST_MS) continue;
    lastMs = nowMs;
    if (signal.aborted) return;
    onAsk();
    try {
      onCapture(await model.captureActivations({ signal }));
    } catch {
      return; // The signal, or a model that is over.
    }
  }
}
