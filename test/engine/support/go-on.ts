/** A process of its own: reads a saved session, goes on, and writes the logits. */
import { buffer } from "node:stream/consumers";
import { goOn, type Loading, loadOn } from "./going-on.js";

const loading: Loading = JSON.parse(process.argv[2]);
const model = await loadOn(loading);
const saved = new Uint8Array(await buffer(process.stdin));
const { session } = await model.restoreSession(saved);
const logits = await goOn(session);
model.dispose();
process.stdout.write(logits);
