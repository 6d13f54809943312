/** Opening files that are in memory, and asserting that they are refused. */
import * as assert from "uvu/assert";
import { type ErrorCode, PlmError } from "../../../src/errors.js";
import { type Gguf, openGguf } from "../../../src/format/gguf.js";
import { openSources } from "../../../src/sources/source.js";

/** Opens the parts of one model. */
export async function open(...files: Uint8Array[]): Promise<Gguf> {
  return openGguf(await openSources(files));
}

/** Fails unless the file is refused with the code, and a message that matches. */
export async function refused(
  file: Uint8Array | Uint8Array[],
  code: ErrorCode,
  message: RegExp,
): Promise<void> {
  const files = Array.isArray(file) ? file : [file];
  const error = await open(...files).then(
    () => assert.unreachable(`accepted, expected ${code} ${message}`),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, PlmError);
  assert.is((error as PlmError).code, code, (error as PlmError).message);
  assert.match((error as PlmError).message, message);
}
