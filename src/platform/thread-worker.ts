/** A thread as a worker, of node:worker_threads or of the web, whatever script it runs. */
import { clearTimer, setTimer } from "../clock.js";
import { kindOf } from "../describe.js";
import { invalidArgument } from "../errors.js";
import { type ThreadMessage, type ThreadReply, VERSION } from "./thread-message.js";

/** How long a thread that was dismissed may take to return. */
const RETURN_MS = 2_000;

/** A thread that was started. */
export interface ThreadHandle {
  /** Settles when the thread is ready to compute; rejects when it failed to start. */
  readonly ready: Promise<void>;
  /** Waits a little for a thread that was dismissed to return, then ends it whatever it does. */
  end(): void;
}

/** A worker as a runtime has it; one of the two ways to listen is there. */
export interface ThreadWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
  addEventListener?(type: string, listener: (event: unknown) => void): void;
  on?(type: string, listener: (value: unknown) => void): unknown;
  /** Where there is this, a waiting worker need not keep the program alive. */
  unref?(): unknown;
}

/**
 * What threads start with: the place of a script, which is `plm-wasm/thread` or a bundle of it, or
 * what makes a worker that runs that script.
 */
export type ThreadScript = string | URL | (() => ThreadWorker);

/** Throws INVALID_ARGUMENT for what is no script; a URL may be of another realm. */
export function checkThreadScript(script: unknown): void {
  if (script === undefined || typeof script === "string" || typeof script === "function") return;
  if (typeof (script as URL | null)?.href === "string") return;
  throw invalidArgument("threadScript", "a path, a URL or a function", kindOf(script));
}

/** What a failed start says where the package's own script was to run. */
const ADVICE =
  "a bundler that leaves out the threads' script needs a line: " +
  "build plm-wasm/thread as well, and pass what it becomes as `threadScript` (docs/bundlers.md)";

/** Why a worker did not start: with the option's name, or with what helps where it is not set. */
function startFailure(script: ThreadScript | undefined, cause: unknown): Error {
  const { message } = (cause ?? {}) as { message?: unknown };
  const reason = typeof message === "string" && message !== "" ? message : "its script not found";
  if (script === undefined) {
    return new Error(`threads: expected a worker to start, got ${reason}; ${ADVICE}`, { cause });
  }
  const name = typeof script === "function" ? "its worker" : String(script);
  return new Error(`threadScript: expected ${name} to start, got ${reason}`, { cause });
}

/** Why a thread that answered is not used: it runs a script of another version. */
function versionFailure(script: ThreadScript | undefined, reply: unknown): Error {
  const { version } = (reply ?? {}) as Partial<ThreadReply>;
  const got = typeof version === "string" ? version : "a worker that gives none";
  const name = script === undefined ? "threads" : "threadScript";
  return new Error(`${name}: expected version ${VERSION} of plm-wasm/thread, got ${got}`);
}

/** The events of either kind of worker. */
function listen(worker: ThreadWorker, type: string, listener: (value: unknown) => void): void {
  if (worker.on !== undefined) worker.on(type, listener);
  else worker.addEventListener?.(type, listener);
}

/**
 * Starts a thread in the worker that `create` makes, which runs `script`, or the package's own. A
 * worker that cannot be made is a thread whose `ready` rejects.
 */
export function startThreadIn(
  create: () => ThreadWorker,
  script: ThreadScript | undefined,
  start: unknown,
): ThreadHandle {
  let worker: ThreadWorker | undefined;
  try {
    const created = create();
    worker = created;
    const ready = awaitReady(created, script);
    created.postMessage({ version: VERSION, start } satisfies ThreadMessage);
    let isEnding = false;
    const end = (): void => {
      if (!isEnding) endDismissed(created);
      isEnding = true;
    };
    return { ready, end };
  } catch (error) {
    worker?.terminate?.();
    return { ready: Promise.reject(startFailure(script, error)), end: () => undefined };
  }
}

/** Terminates a thread that was dismissed, unless it returns in time. */
function endDismissed(worker: ThreadWorker): void {
  // In Deno terminate() does not end a thread that waits for others.
  const late = setTimer(() => void worker.terminate(), RETURN_MS);
  (late as Partial<NodeJS.Timeout>).unref?.();
  listen(worker, "exit", () => clearTimer(late));
}

/** Settles as a handle's `ready` does. */
function awaitReady(worker: ThreadWorker, script: ThreadScript | undefined): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (cause: unknown) => reject(startFailure(script, cause));
    listen(worker, "message", (message) => {
      const reply = worker.on === undefined ? (message as MessageEvent).data : message;
      if ((reply as ThreadReply | undefined)?.version !== VERSION) {
        reject(versionFailure(script, reply));
        return;
      }
      // Waiting threads do not keep a program alive; starting ones do.
      worker.unref?.();
      resolve();
    });
    listen(worker, "error", (cause) => {
      // Deno ends the program otherwise.
      (cause as { preventDefault?(): void } | undefined)?.preventDefault?.();
      fail(cause);
    });
    listen(worker, "exit", () => fail(new Error("the thread ended")));
  });
  ready.catch(() => undefined);
  return ready;
}
