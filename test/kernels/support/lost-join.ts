/** A thread that is lost, as the thread of the caller finds it. */
import { PlmError } from "../../../src/errors.js";
import { Member } from "../../../src/kernels/team.js";

/** Runs `work` while a thread's join throws, the `nth` time that it is called. */
export async function withLostJoin(nth: number, work: () => Promise<void> | void): Promise<void> {
  const { join } = Member.prototype;
  let calls = 0;
  Member.prototype.join = function (this: Member): void {
    if (this.count > 1 && ++calls === nth) throw new PlmError("THREAD_LOST", "one is lost");
    join.call(this);
  };
  try {
    await work();
  } finally {
    Member.prototype.join = join;
  }
}
