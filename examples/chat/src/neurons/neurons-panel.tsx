/** The panel with the live picture of firing neurons, and how much was skipped. */

import type { Model } from "plm-wasm";
import { useEffect, useRef, useState } from "preact/hooks";
import { running } from "../chat/answer.js";
import { formatCount, formatShare } from "../interface/amounts.js";
import { captureUntil } from "./capture-loop.js";
import { FiringPicture } from "./firing-picture.js";
import { useVisibility } from "./visibility.js";

/** How often the words follow the picture. */
const WORDS_MS = 500;

/** What is said in words. */
interface Words {
  readonly skippedShare: number;
  readonly neurons: number;
  readonly shares: readonly number[];
}

function colourOf(element: Element): number[] {
  return (getComputedStyle(element).color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}

/** Captures and draws until the function that it returns is called. */
function draw(canvas: HTMLCanvasElement, model: Model, onWords: (words: Words) => void) {
  const controller = new AbortController();
  const context = canvas.getContext("2d");
  const isFading = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  const colour = colourOf(canvas);
  let picture: FiringPicture | undefined;
  let image: ImageData | undefined;
  let wordsMs = 0;
  const count = (name: "asked" | "drawn"): void => {
    canvas.dataset[name] = String(Number(canvas.dataset[name] ?? 0) + 1);
  };
  const onAsk = (): void => count("asked");
  void captureUntil(controller.signal, model, onAsk, (capture) => {
    picture ??= new FiringPicture(capture, canvas.clientWidth, canvas.clientHeight);
    if (image === undefined) {
      canvas.width = picture.width;
      canvas.height = picture.height;
      image = new ImageData(picture.width, picture.height);
    }
    picture.add(capture, isFading);
    picture.write(image.data, colour);
    context?.putImageData(image, 0, 0);
    count("drawn");
    if (performance.now() - wordsMs < WORDS_MS) return;
    wordsMs = performance.now();
    const { skippedShare, shares, layers, neurons } = picture;
    onWords({ skippedShare, neurons: layers * neurons, shares: [...shares] });
  });
  return () => controller.abort();
}

export function NeuronsPanel({ model }: { model: Model }) {
  const ref = useRef<HTMLCanvasElement>(null);
  const isVisible = useVisibility(ref);
  const [words, setWords] = useState<Words>();
  const isRunning = running.value !== undefined;
  useEffect(() => {
    if (isVisible && isRunning && ref.current) return draw(ref.current, model, setWords);
    return undefined;
  }, [isVisible, isRunning, model]);
  return (
    <aside class="neurons" aria-label="Firing neurons">
      <header>
        <h2>Firing neurons</h2>
        {words && (
          <p class="skipped">
            <strong>{formatShare(words.skippedShare)}</strong> skipped
          </p>
        )}
      </header>
      <div class="picture">
        <canvas ref={ref} role="img" aria-label="Which neurons fire; a list says how many" />
        {words === undefined && (
          <p class="facts">While the model writes, this shows which of its neurons fire.</p>
        )}
        {words && (
          <ul class="shares">
            {words.shares.map((share, layer) => (
              <li key={layer} style={{ "--share": share }}>
                <span class="hidden-text">
                  Layer {layer + 1}: {formatShare(share)} of neurons fired
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <p class="facts">
        {words
          ? `Each band is a layer, all points are ${formatCount(words.neurons)} neurons. ` +
            "Those that are exactly zero are not multiplied."
          : ""}
      </p>
    </aside>
  );
}
