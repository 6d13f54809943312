// Prints the text of examples/node.mjs as the library makes it in the runtime that runs this file.
import { expectedText } from "./small.mjs";

console.log(await expectedText(64));
