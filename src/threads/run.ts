/** Runs a thread from its first message, whichever engine sent it. */
import { runThread, type ThreadStart } from "../engine/thread.js";
import { type ThreadMessage, type ThreadReply, VERSION } from "../platform/thread-message.js";
import { runTrainingThread, type TrainingThreadStart } from "../training/engine/thread.js";

/** The first message, from either engine. */
export type EngineStart = ThreadStart | TrainingThreadStart;

/** Computes until it is dismissed. Replies once it can; a sender of another version refuses it. */
export function run(
  { version, start }: ThreadMessage<EngineStart>,
  reply: (message: ThreadReply) => void,
): void {
  const ready = (): void => reply({ version: VERSION });
  if (version !== VERSION) {
    ready();
    return;
  }
  if ("model" in start) runThread(start, ready);
  else runTrainingThread(start, ready);
  reply({ version: VERSION, hasEnded: true });
}
