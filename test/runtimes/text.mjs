// Prints the text of examples/node.mjs, made by the library in the runtime that runs this file.
import { expectedText, MODEL } from "./checks.mjs";

console.log(await expectedText(MODEL, 64));
