/**
 * A lock between processes that share a folder. Each that wants it creates a file of its own and
 * then looks for others: of two at once, one at least sees the other and steps back. A holder
 * touches its file from time to time, so that one that died loses the lock.
 */
import { clearTimer, setTimer, type Timer } from "../clock.js";
import type { EntryLock } from "../store/file-store.js";
import { type DiskModules, ignoreMissing } from "./disk-modules.js";

/** How often a holder touches its file, and after how long without it is taken for dead. */
const TOUCH_MS = 5_000;
const DEAD_MS = 30_000;

/** Process, machine, and what makes the name unique. */
const NAME = /^lock\.(\d+)\.([\w-]*)\.[\da-z]+$/;

/** A folder may be removed between its creation and the lock's. */
const MOST_TRIES = 5;

let count = 0;

/** The folder's lock, or undefined if another has it. Creates the folder. */
export async function takeLock(
  modules: DiskModules,
  folder: string,
): Promise<EntryLock | undefined> {
  const { fs } = modules;
  const unique = `${Date.now().toString(36)}${(count++).toString(36)}`;
  const own = `lock.${globalThis.process.pid}.${hostOf(modules)}.${unique}`;
  const path = `${folder}/${own}`;
  await createLock(modules, folder, path);
  const release = async (): Promise<void> => {
    await fs.rm(path, { force: true });
    // Fails unless it is empty: what was stored may have been removed.
    await fs.rmdir(folder).catch(() => undefined);
  };
  if (await isHeldByAnother(modules, folder, own)) {
    await release();
    return undefined;
  }
  let timer: Timer | undefined;
  const touch = (): void => {
    const now = new Date();
    // A lock whose file is gone was taken over; the blocks' checksums keep the copy sound.
    void fs.utimes(path, now, now).catch(() => undefined);
    timer = startTimer(touch);
  };
  timer = startTimer(touch);
  return {
    release() {
      clearTimer(timer);
      return release();
    },
  };
}

async function createLock({ fs }: DiskModules, folder: string, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    await fs.mkdir(folder, { recursive: true });
    try {
      await fs.writeFile(path, "", { flag: "wx" });
      return;
    } catch (cause) {
      if (tries === MOST_TRIES) throw cause;
      ignoreMissing(cause as NodeJS.ErrnoException);
    }
  }
}

/** This machine's name, as far as a file's name may have it. */
function hostOf({ os }: DiskModules): string {
  return os.hostname().replace(/[^\w-]/g, "");
}

/** A timer that does not keep the program alive. */
function startTimer(callback: () => void): Timer {
  const timer = setTimer(callback, TOUCH_MS);
  (timer as Partial<NodeJS.Timeout>).unref?.();
  return timer;
}

/** Whether another lock is alive; removes those of the dead. */
async function isHeldByAnother(
  modules: DiskModules,
  folder: string,
  own: string,
): Promise<boolean> {
  const { fs } = modules;
  for (const name of await fs.readdir(folder)) {
    const [, pid, host] = NAME.exec(name) ?? [];
    if (pid === undefined || name === own) continue;
    const found = await fs.stat(`${folder}/${name}`).catch(ignoreMissing);
    if (found === undefined) continue;
    const isOld = Date.now() - found.mtimeMs > DEAD_MS;
    if (!isOld && (host !== hostOf(modules) || isAlive(Number(pid)))) return true;
    await fs.rm(`${folder}/${name}`, { force: true });
  }
  return false;
}

/** Whether a process of this machine runs; where that cannot be said, it is taken to run. */
function isAlive(pid: number): boolean {
  try {
    globalThis.process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
