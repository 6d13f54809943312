/** A file that is dropped anywhere on the page is a model to open. */
import { choose, phase } from "./loading.js";

export function acceptDrops(): void {
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file && phase.value.name !== "ready") void choose({ kind: "file", file });
  });
}
