/** Which model: the shipped one, a picked file, a file that the browser keeps, or an address. */
import type { ModelSource } from "plm-wasm";
import shippedUrl from "../../../../models/plm-tiny.gguf?url";
import { openKept } from "./kept-files.js";

export type ModelChoice =
  | { readonly kind: "shipped" }
  | { readonly kind: "file"; readonly file: File }
  | { readonly kind: "kept"; readonly name: string }
  | { readonly kind: "url"; readonly url: string };

/** Choices that a later visit can make again. */
export type LastingChoice = Exclude<ModelChoice, { kind: "file" }>;

/** What the page calls it. */
export function nameOf(choice: ModelChoice): string {
  if (choice.kind === "shipped") return "PLM-tiny";
  if (choice.kind === "kept") return choice.name;
  if (choice.kind === "file") return choice.file.name;
  return choice.url.split(/[?#]/)[0].split("/").at(-1) || choice.url;
}

/** What `loadModel` takes. Rejects for a kept file that is gone. */
export async function sourceOf(choice: ModelChoice): Promise<ModelSource> {
  if (choice.kind === "shipped") {
    const response = await fetch(shippedUrl);
    if (!response.ok) throw new Error(`${shippedUrl}: status ${response.status}`);
    return response.blob();
  }
  if (choice.kind === "file") return choice.file;
  return choice.kind === "kept" ? openKept(choice.name) : choice.url;
}
