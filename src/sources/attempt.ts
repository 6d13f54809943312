/** Reading that may fail because of the file or the runtime. */
import { PlmError, reasonOf } from "../errors.js";

/** What `work` resolves to. Errors other than PlmError become UNREADABLE_FILE with the name. */
export async function attempt<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (PlmError.from(cause) !== undefined) throw cause;
    throw new PlmError("UNREADABLE_FILE", `${name}: ${reasonOf(cause)}`, { cause });
  }
}
