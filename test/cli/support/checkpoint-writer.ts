/**
 * A process that saves a checkpoint and is killed on the way. Arguments: folder, step, and the
 * piece before which it is killed; "never" for none. Writes the error's code and message, or "ok".
 */
import { folderStore } from "../../../src/cli/checkpoint-store.js";
import type { PlmError } from "../../../src/errors.js";
import { type CheckpointStore, Checkpoints } from "../../../src/training/run/checkpoints.js";
import { trainingConfig } from "../../training/support/config.js";
import { smallCheckpoint } from "../../training/support/store.js";

const [folder, step, fatal] = process.argv.slice(2);
const store = folderStore(folder);

function* killing(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let index = 0;
  for (const piece of pieces) {
    if (String(index++) === fatal) process.kill(process.pid, "SIGKILL");
    yield piece;
  }
  if (fatal === "end") process.kill(process.pid, "SIGKILL");
}

const mortal: CheckpointStore = {
  ...store,
  writeAtomically: (name, pieces) => store.writeAtomically(name, killing(pieces)),
};

const run = new Checkpoints(mortal, trainingConfig());
await run.load();
const tensors = new Map([["parameters", new Float32Array(1 << 16).fill(Number(step))]]);
await run.save({ ...smallCheckpoint(Number(step)), tensors }).then(
  () => console.log("ok"),
  ({ code, message }: PlmError) => console.log(code, message),
);
