// The library's text of a request, in the runtime that runs this file: expected.mjs MODEL REQUEST
// OPTIONS, the last two as JSON.
import { loadModel } from "../../build/src/index.js";

const [path, request, options] = process.argv.slice(2);
const { messages, max_tokens: maxTokens, seed } = JSON.parse(request);
const model = await loadModel(path, JSON.parse(options));
console.log(JSON.stringify(await model.chat(messages, { maxTokens, seed }).text()));
model.dispose();
