// Files that a person picks.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MODEL } from "./person.mjs";

/** The path of a file, which is removed when the process ends. */
export function fileOf(name, content) {
  const folder = mkdtempSync(join(tmpdir(), "plm-wasm-page-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The bytes of the model's file with a template as long as its own, which names who speaks. */
export function chatModel() {
  const bytes = readFileSync(MODEL);
  const [begin, end] = ["{% for message in messages %}", "{% endfor %}"];
  const at = bytes.indexOf(begin);
  const length = bytes.indexOf(end, at) + end.length - at;
  const template = `${begin}{{ message['role'] }}: {{ message['content'] }}\n${end}`;
  // Blanks inside a tag are no text.
  bytes.write(template.replace("%}", "%}".padStart(2 + length - template.length)), at, "latin1");
  return bytes;
}
