/** What calls of the Prompt API reject with. */
import * as assert from "uvu/assert";

/** Fails unless the promise rejects with an error of that name; returns it. */
export async function assertName<T extends object>(
  promise: PromiseLike<unknown>,
  name: string,
): Promise<Error & T> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason as Error & T,
  );
  assert.is(error?.name, name, error?.stack);
  const isPlain = ["TypeError", "RangeError"].includes(name);
  assert.is(error instanceof DOMException, !isPlain, name);
  return error!;
}
