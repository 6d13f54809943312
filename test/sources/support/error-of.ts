/** Checks of a source's failure. */
import * as assert from "uvu/assert";
import { type ErrorCode, PlmError } from "../../../src/errors.js";

/** The PlmError that the promise rejects with; it has this code if one is given. */
export async function errorOf(promise: Promise<unknown>, code?: ErrorCode): Promise<PlmError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, PlmError);
  const found = error as PlmError;
  if (code !== undefined) assert.is(found.code, code, found.message);
  return found;
}
