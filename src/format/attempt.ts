/** Reading what may fail for reasons of the file's or the runtime's own. */
import { PlmError, reasonOf } from "../errors.js";

/** What `work` resolves to. A failure that is no PlmError is UNREADABLE_FILE, naming the file. */
export async function attempt<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (PlmError.from(cause) !== undefined) throw cause;
    throw new PlmError("UNREADABLE_FILE", `${name}: ${reasonOf(cause)}`, { cause });
  }
}
