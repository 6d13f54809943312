/** A thread as a worker, of node:worker_threads or of the web, whatever script it runs. */
import { clearTimer, setTimer } from "../clock.js";
import { kindOf } from "../describe.js";
import { invalidArgument } from "../errors.js";
import { type ThreadMessage, type ThreadReply, VERSION } from "./thread-message.js";

/** How long a dismissed thread may take to return. */
const RETURN_MS = 2_000;

/** A thread that was started. */
export interface ThreadHandle {
  /** Settles when the thread is ready to compute; rejects when it failed to start. */
  readonly ready: Promise<void>;
  /** Whether it is known to compute no more: it returned, failed or exited. */
  readonly hasEnded: boolean;
  /** Waits briefly for a dismissed thread to return, then ends it in any case. */
  end(): void;
}

/** A runtime's worker; it has one of the two ways to listen. */
export interface ThreadWorker {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): unknown;
  addEventListener?(type: string, listener: (event: unknown) => void): void;
  on?(type: string, listener: (value: unknown) => void): unknown;
  /** Where these exist, a waiting worker need not keep the program alive. */
  ref?(): unknown;
  unref?(): unknown;
}

/**
 * What threads start with: the path or URL of a script, which is `plm-wasm/thread` or a bundle of
 * it, or a function that returns a worker running that script.
 */
export type ThreadScript = string | URL | (() => ThreadWorker);

/** Throws INVALID_ARGUMENT for anything else than a script; a URL may be of another realm. */
export function checkScript(name: string, script: unknown): void {
  if (script === undefined || typeof script === "string" || typeof script === "function") return;
  if (typeof (script as URL | null)?.href === "string") return;
  throw invalidArgument(name, "a path, a URL or a function", kindOf(script));
}

/** Advice of a failed start where the package's own script was to run. */
const ADVICE =
  "a bundler that leaves out the threads' script needs a line: " +
  "build plm-wasm/thread as well, and pass the result as `threadScript` (docs/bundlers.md)";

/** Why a worker did not start: names the option or, where it is not set, gives advice. */
function startFailure(script: ThreadScript | undefined, cause: unknown): Error {
  const reason = startReason(cause);
  if (script === undefined) {
    return new Error(`threads: expected a worker to start, got ${reason}; ${ADVICE}`, { cause });
  }
  const name = typeof script === "function" ? "its worker" : String(script);
  return new Error(`threadScript: expected ${name} to start, got ${reason}`, { cause });
}

/** Why a thread that answered is not used: it runs a script of another version. */
function versionFailure(script: ThreadScript | undefined, got = "a worker that gives none"): Error {
  const name = script === undefined ? "threads" : "threadScript";
  return new Error(`${name}: expected version ${VERSION} of plm-wasm/thread, got ${got}`);
}

/** Listens to either kind of worker; keeps the web's errors from the console. */
export function listen(
  worker: ThreadWorker,
  type: string,
  listener: (value: unknown) => void,
): void {
  const receive = (value: unknown): void => {
    // Deno ends the program otherwise.
    if (type !== "message") (value as { preventDefault?(): void } | null)?.preventDefault?.();
    listener(value);
  };
  if (worker.on !== undefined) worker.on(type, receive);
  else worker.addEventListener?.(type, receive);
}

/** What a worker that does not answer is reported as. */
export interface AnswerErrors {
  /** It failed, or ended. */
  readonly failed: (cause: unknown) => Error;
  readonly ended: string;
  /** Its script is of another version, or says none. */
  readonly outdated: (version: string | undefined) => Error;
}

/** Settles with a worker's first message, which says the version of its script. */
export async function awaitAnswer(
  worker: ThreadWorker,
  { failed, ended, outdated }: AnswerErrors,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let isAnswered = false;
    listen(worker, "message", (message) => {
      if (isAnswered) return;
      isAnswered = true;
      const { version } = (messageOf(worker, message) ?? {}) as { version?: unknown };
      if (version === VERSION) resolve();
      else reject(outdated(typeof version === "string" ? version : undefined));
    });
    listen(worker, "error", (cause) => reject(failed(cause)));
    listen(worker, "exit", () => reject(failed(new Error(ended))));
  });
}

/** Why a worker failed before it answered. */
export function startReason(cause: unknown): string {
  const { message } = (cause ?? {}) as { message?: unknown };
  return typeof message === "string" && message !== "" ? message : "its script not found";
}

/**
 * Starts a thread in the worker that `create` makes, which runs `script` or the package's own. If
 * the worker cannot be made, the thread's `ready` rejects.
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
    created.postMessage({ version: VERSION, start } satisfies ThreadMessage, []);
    let isEnding = false;
    const end = (): void => {
      if (!isEnding) terminateLate(created, RETURN_MS, noteEnd);
      isEnding = true;
    };
    let hasEnded = false;
    const noteEnd = (): void => {
      hasEnded = true;
    };
    listen(created, "exit", noteEnd);
    listen(created, "error", noteEnd);
    listen(created, "message", (message) => {
      if (replyOf(created, message)?.hasEnded) noteEnd();
    });
    return {
      ready,
      end,
      get hasEnded() {
        return hasEnded;
      },
    };
  } catch (error) {
    worker?.terminate?.();
    const ready = Promise.reject(startFailure(script, error));
    return { ready, hasEnded: true, end: () => undefined };
  }
}

/** Terminates a dismissed worker unless it ends in time; one of the web ends unseen. */
export function terminateLate(
  worker: ThreadWorker,
  ms: number,
  noteEnd: () => void = () => undefined,
): void {
  // In Deno terminate() does not end a thread that waits for others.
  const terminate = (): void => {
    void worker.terminate();
    if (worker.on === undefined) noteEnd();
  };
  const late = setTimer(terminate, ms);
  (late as Partial<NodeJS.Timeout>).unref?.();
  listen(worker, "exit", () => clearTimer(late));
}

/** A message of either kind of worker. */
export function messageOf(worker: ThreadWorker, message: unknown): unknown {
  return worker.on === undefined ? (message as MessageEvent).data : message;
}

function replyOf(worker: ThreadWorker, message: unknown): Partial<ThreadReply> | undefined {
  return messageOf(worker, message) as Partial<ThreadReply> | undefined;
}

/** Settles as a handle's `ready` does. */
function awaitReady(worker: ThreadWorker, script: ThreadScript | undefined): Promise<void> {
  const answer = awaitAnswer(worker, {
    failed: (cause) => startFailure(script, cause),
    ended: "the thread ended",
    outdated: (version) => versionFailure(script, version),
  });
  // Waiting threads do not keep a program alive; starting ones do.
  const ready = answer.then(() => void worker.unref?.());
  ready.catch(() => undefined);
  return ready;
}
