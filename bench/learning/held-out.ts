/**
 * How well a model predicts a text that it was not trained on, compared with byte n-gram models
 * trained on the same texts and measured on the same bytes:
 *
 *   node build/bench/learning/held-out.js --model FILE --text HELD_OUT --learnt FILE...
 *
 * The model runs in the product's engine. Windows of --context tokens (256) advance by --stride
 * (128): every token is predicted once, the end-of-text token after the text too, with at least 128
 * tokens before it except in the first window. In the learnt texts, documents end at lines
 * <|endoftext|>; n-gram models learn them with blank lines between. --json prints only figures.
 */
import { openAsBlob, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadModel } from "../../src/index.js";
import { PRECISIONS, type Precision } from "../../src/model/precision.js";
import { decodeText, splitDocuments, tokenizeDocuments } from "../../src/training/data/corpus.js";
import { KneserNey } from "./kneser-ney.js";
import { sortText } from "./ngrams.js";
import { scoreTokens, type Windows } from "./score.js";

/** Numbers of preceding bytes that the n-gram models use. */
const ORDERS: readonly number[] = [6, 10];

/** The model's result. */
interface ModelScore extends Windows {
  readonly precision: Precision;
  readonly tokens: number;
  readonly bitsPerByte: number;
  /** Per token. */
  readonly perplexity: number;
  /** Share of zeros among the squared ReLU's activations, over all layers and windows. */
  readonly zeroShare: number;
}

/** An n-gram model's result; `order` is the number of preceding bytes that it uses. */
interface BaselineScore {
  readonly order: number;
  readonly bitsPerByte: number;
}

/** The command line. */
interface Arguments extends Windows {
  readonly model: string;
  readonly text: string;
  readonly learnt: readonly string[];
  readonly threads: number;
  readonly precision: Precision;
  readonly json: boolean;
}

function readArguments(): Arguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: "string" },
      text: { type: "string" },
      learnt: { type: "string", multiple: true, default: [] },
      context: { type: "string", default: "256" },
      stride: { type: "string", default: "128" },
      threads: { type: "string", default: "1" },
      precision: { type: "string", default: "balanced" },
      json: { type: "boolean", default: false },
    },
  });
  const { model, text, json } = values;
  if (model === undefined || text === undefined) {
    throw new RangeError("expected --model FILE --text HELD_OUT --learnt FILE...");
  }
  const precision = PRECISIONS.find((name) => name === values.precision);
  if (precision === undefined) {
    throw new RangeError(`--precision: expected ${PRECISIONS.join(", ")}, got ${values.precision}`);
  }
  const contextLength = readCount("--context", values.context, 2 ** 20);
  const stride = readCount("--stride", values.stride, contextLength);
  const threads = readCount("--threads", values.threads, 64);
  const learnt = [...values.learnt, ...positionals];
  return { model, text, learnt, contextLength, stride, threads, precision, json };
}

function readCount(name: string, value: string, most: number): number {
  const count = Number(value);
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new RangeError(`${name}: expected an integer from 1 to ${most}, got ${value}`);
}

/** Writes a line on standard error that the next one replaces. */
function showProgress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}

async function scoreModel(text: string, options: Arguments): Promise<ModelScore> {
  const { contextLength, stride, threads, precision } = options;
  const model = await loadModel(await openAsBlob(options.model), {
    contextLength,
    threads,
    precision,
  });
  const [eos] = model.tokenizer.eosTokenIds;
  const { tokens, bytes } = tokenizeDocuments("held out", [text], model.tokenizer, eos);
  const session = model.createSession();
  const loss = await scoreTokens(session, tokens, options, (scored) =>
    showProgress(`${scored} of ${tokens.length} tokens`),
  );
  showProgress("");
  const { zeroShare } = model;
  model.dispose();
  return {
    ...{ precision, contextLength, stride },
    tokens: tokens.length,
    bitsPerByte: loss / Math.LN2 / bytes,
    perplexity: Math.exp(loss / tokens.length),
    zeroShare,
  };
}

/** The n-gram models' scores, and the number of bytes that they learnt. */
function scoreBaselines(
  text: string,
  learntPaths: readonly string[],
): { learntBytes: number; baselines: BaselineScore[] } {
  if (learntPaths.length === 0) return { learntBytes: 0, baselines: [] };
  const encoder = new TextEncoder();
  const documents = learntPaths.flatMap((path) =>
    splitDocuments(path, decodeText(path, readFileSync(path)), "<|endoftext|>"),
  );
  const learnt = encoder.encode(`${documents.join("\n\n")}\n\n`);
  const bytes = encoder.encode(text);
  showProgress("n-grams");
  const sorted = sortText(learnt, Math.max(...ORDERS) + 1);
  const baselines = ORDERS.map((order) => {
    showProgress(`n-grams of order ${order}`);
    return { order, bitsPerByte: new KneserNey(sorted, order).bits(bytes) / bytes.length };
  });
  showProgress("");
  return { learntBytes: learnt.length, baselines };
}

async function main(): Promise<void> {
  const options = readArguments();
  const text = decodeText(options.text, readFileSync(options.text));
  const model = await scoreModel(text, options);
  const { learntBytes, baselines } = scoreBaselines(text, options.learnt);
  const bytes = new TextEncoder().encode(text).length;
  if (options.json) {
    console.log(JSON.stringify({ bytes, learntBytes, model, baselines }, null, 2));
    return;
  }
  console.log(`${bytes} bytes held out, ${model.tokens} tokens, ${learntBytes} bytes learnt\n`);
  console.log("| model | bits per byte | perplexity | zero share |\n| --- | --- | --- | --- |");
  const { contextLength, stride, precision } = model;
  const name = `${options.model}, ${precision}, windows of ${contextLength} by ${stride}`;
  const share = `${(100 * model.zeroShare).toFixed(1)} %`;
  const perplexity = model.perplexity.toFixed(2);
  console.log(`| ${name} | ${model.bitsPerByte.toFixed(4)} | ${perplexity} | ${share} |`);
  for (const { order, bitsPerByte } of baselines) {
    console.log(`| Kneser-Ney, ${order} bytes before each | ${bitsPerByte.toFixed(4)} | | |`);
  }
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
