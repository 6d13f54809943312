// Whether plm-wasm and llama.cpp continue ten prompts with the same greedy tokens, on one file:
//
//   node bench/peers/same-tokens.mjs --model FILE [--tokens 64] [--threads 1] [--near 0.1]
//
// Both get the same tokens one by one and give the most likely next one, also after the end of a
// text. Where they first differ, the two largest logits of each are printed; a near-tie is a
// difference with the two logits of each engine less than --near apart. Exits with 1 if a prompt is
// tokenised differently, or a difference is not a near-tie.
import { parseArgs } from "node:util";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { loadModel } from "../../build/src/index.js";

const PROMPTS = [
  "Once upon a time",
  "One day, a little girl named Lily",
  "Tom and his dog went to the park.",
  "There was a big red ball in the garden.",
  "The sun was shining and the birds",
  'Mom said, "We are going to the',
  "A small rabbit lived in the forest. He liked to",
  "Ben and Sara were best friends. They",
  "It was raining, so Max could not play outside.\n\nHe",
  "The old man had a boat. Every morning, he",
];

/** The two largest logits as [token, logit], the largest first. */
function topTwo(entries) {
  return [...entries].sort(([, a], [, b]) => b - a).slice(0, 2);
}

async function openOurs({ model: path, threads }) {
  const model = await loadModel(path, { threads });
  const session = model.createSession();
  return {
    tokenizer: model.tokenizer,
    contextLength: session.contextLength,
    tokenize: (text) => [...model.tokenizer.encode(text)],
    reset: () => session.truncate(0),
    evaluate: async (tokens) => topTwo((await session.evaluate(tokens)).entries()),
    dispose: () => model.dispose(),
  };
}

/** Flash attention is off: with it, llama.cpp aborts on PLM's head sizes. */
async function openTheirs({ model: modelPath, threads, contextLength }) {
  const logLevel = LlamaLogLevel.error;
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel });
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  const contextSize = contextLength;
  const context = await model.createContext({ contextSize, threads, flashAttention: false });
  const sequence = context.getSequence();
  const generateNext = { logits: { filter: { includeTop: 2 } }, options: { temperature: 0 } };
  return {
    release: llama.llamaCppRelease.release,
    tokenize: (text) => [...model.tokenize(text)],
    reset: () => sequence.clearHistory(),
    async evaluate(tokens) {
      const input = [...tokens.slice(0, -1), [tokens.at(-1), { generateNext }]];
      const output = await sequence.controlledEvaluate(input);
      return topTwo(output.at(-1).next.logits.entries());
    },
    dispose: () => llama.dispose(),
  };
}

/** Greedy tokens until both have given `count`, or differ; and the logits of both there. */
async function compare(ours, theirs, prompt, count) {
  ours.reset();
  await theirs.reset();
  const tokens = [];
  for (let next = prompt; tokens.length < count; next = tokens.slice(-1)) {
    const [own, other] = [await ours.evaluate(next), await theirs.evaluate(next)];
    if (own[0][0] !== other[0][0]) return { tokens, own, other };
    tokens.push(own[0][0]);
  }
  return { tokens };
}

function describeTop(tokenizer, [[first, a], [second, b]]) {
  const show = (token, logit) => `${JSON.stringify(tokenizer.decode([token]))} ${logit.toFixed(4)}`;
  return `${show(first, a)} over ${show(second, b)}, by ${(a - b).toFixed(4)}`;
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      tokens: { type: "string", default: "64" },
      threads: { type: "string", default: "1" },
      near: { type: "string", default: "0.1" },
    },
  });
  if (values.model === undefined) throw new Error("--model: expected the path of a PLM");
  const [tokens, threads, near] = ["tokens", "threads", "near"].map((name) => {
    if (Number(values[name]) > 0) return Number(values[name]);
    throw new Error(`--${name}: expected a number above 0, got ${values[name]}`);
  });
  return { model: values.model, tokens, threads, near };
}

/** Compares one prompt, prints one or three lines; returns `agree`, `near-tie` or the problem. */
async function runPrompt(ours, theirs, text, { tokens: count, near }) {
  const prompt = ours.tokenize(text);
  if (prompt.join() !== theirs.tokenize(text).join()) {
    console.log(`${JSON.stringify(text)}: the prompt's tokens differ`);
    console.log(`  plm-wasm   ${prompt}\n  llama.cpp  ${theirs.tokenize(text)}`);
    return "tokenised differently";
  }
  const { tokens, own, other } = await compare(ours, theirs, prompt, count);
  const name = `${JSON.stringify(text)} (${prompt.length} tokens)`;
  if (own === undefined) {
    console.log(
      `${name}: ${tokens.length} agree: ${JSON.stringify(ours.tokenizer.decode(tokens))}`,
    );
    return "agree";
  }
  const isNear = [own, other].every(([[, a], [, b]]) => a - b < near);
  const isSame = own[0][0] === other[1][0] && own[1][0] === other[0][0];
  const verdict = isNear && isSame ? "near-tie" : "difference";
  console.log(`${name}: ${tokens.length} agree, then a ${verdict}`);
  console.log(`  plm-wasm   ${describeTop(ours.tokenizer, own)}`);
  console.log(`  llama.cpp  ${describeTop(ours.tokenizer, other)}`);
  return verdict;
}

async function main() {
  const options = readArguments();
  const ours = await openOurs(options);
  const theirs = await openTheirs({ ...options, contextLength: ours.contextLength });
  console.log(`llama.cpp ${theirs.release}, ${options.tokens} greedy tokens\n`);
  const verdicts = {};
  for (const text of PROMPTS) {
    const verdict = await runPrompt(ours, theirs, text, options);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  const counts = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`);
  console.log(`\n${counts.join(", ")}`);
  if (Object.keys(verdicts).some((verdict) => verdict !== "agree" && verdict !== "near-tie")) {
    process.exitCode = 1;
  }
  ours.dispose();
  await theirs.dispose();
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
