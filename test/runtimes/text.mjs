// Prints the text of examples/node.mjs as the library makes it in the runtime that runs this file.
import { expectedText, MODEL } from "./checks.mjs";

console.log(await expectedText(MODEL, 64));
