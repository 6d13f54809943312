/** While a model's header is read, and while the model is loaded. */
import { formatBytes, formatSeconds } from "../interface/amounts.js";
import { type ModelChoice, nameOf } from "./choice.js";
import { cancel, progress } from "./loading.js";

export function ReadingCard({ choice }: { choice: ModelChoice }) {
  return (
    <div class="card">
      <p role="status">Reading what {nameOf(choice)} is…</p>
      <progress aria-label="Reading the model's header" />
      <button type="button" onClick={cancel}>
        Cancel
      </button>
    </div>
  );
}

export function LoadingCard({ choice }: { choice: ModelChoice }) {
  const { loadedBytes = 0, totalBytes = 1, bytesPerSecond, secondsLeft } = progress.value ?? {};
  const facts = progress.value && [
    `${formatBytes(loadedBytes)} of ${formatBytes(totalBytes)}`,
    bytesPerSecond !== undefined && `${formatBytes(bytesPerSecond)}/s`,
    secondsLeft !== undefined && secondsLeft > 1 && `${formatSeconds(secondsLeft)} left`,
  ];
  return (
    <div class="card">
      <p role="status">Loading {nameOf(choice)}</p>
      <progress aria-label="Loading the model" max={totalBytes} value={loadedBytes} />
      <p class="facts">{facts ? facts.filter(Boolean).join(" · ") : "…"}</p>
      <button type="button" onClick={cancel}>
        Cancel
      </button>
    </div>
  );
}
