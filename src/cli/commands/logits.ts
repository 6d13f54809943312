/** `plm logits`: the logits of every position, into a file. */
import { type Command, Option } from "commander";
import type { Model } from "../../generation/model.js";
import { checkCount, checkIds } from "../check-tokens.js";
import { addJson, addOut } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions, findModel, type ModelFlags, openModel } from "../options.js";
import { writeJson, writeLine } from "../output.js";
import { refuseInputs, writeOutput } from "../output-file.js";
import { ids, integer } from "../parse.js";

interface LogitsFlags extends ModelFlags {
  readonly tokens: number[];
  readonly out: string;
  readonly chunk?: number;
  readonly json?: boolean;
}

/** Tokens evaluated at once, without --chunk and --batch. */
const DEFAULT_CHUNK = 256;

export function addLogits(program: Command): void {
  const command = program
    .command("logits")
    .summary("logits of every position")
    .description(
      "Evaluates tokens and writes the logits after each of them: float32, little-endian, " +
        "[tokens, vocabulary]. A file of that name is overwritten.",
    )
    .requiredOption("--ids, --tokens <list>", "token ids, such as 1,2,3", ids("tokens"))
    .addOption(
      new Option("--chunk <n>", "tokens at once: 1 goes through decode, more through prefill")
        .argParser(integer("chunk", 1))
        .default(undefined, String(DEFAULT_CHUNK)),
    );
  addJson(addOut(command), "{out, tokens, vocabSize}");
  addModelOptions(command, { batch: "--chunk, at least 256" })
    .addHelpText("after", "\nExample:\n  plm logits --tokens 72,105 --out logits.f32 --chunk 1")
    .action((flags: LogitsFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: LogitsFlags, signal: AbortSignal): Promise<void> {
  const { tokens, out } = flags;
  const chunk = Math.min(flags.chunk ?? flags.batch ?? DEFAULT_CHUNK, tokens.length);
  const batchSize = flags.batch ?? Math.max(chunk, DEFAULT_CHUNK);
  const place = { path: out, label: "--out", force: true };
  await refuseInputs(place, [String(findModel(flags.model))]);
  const model = await openModel(flags, signal, { batchSize });
  checkIds("--tokens", tokens, model.config.vocabSize);
  checkCount("--tokens", tokens.length, model.plan.options.contextLength);
  const pieces = evaluateAll(model, tokens, Math.min(chunk, batchSize), signal);
  await writeOutput(place, pieces, signal);
  const { vocabSize } = model.config;
  if (flags.json) return writeJson({ out, tokens: tokens.length, vocabSize });
  await writeLine(`${out}: float32 [${tokens.length}, ${vocabSize}]`);
}

/** The logits, chunk by chunk, so that memory holds one chunk's. */
async function* evaluateAll(
  model: Model,
  tokens: readonly number[],
  chunkSize: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const session = model.createSession();
  for (let first = 0; first < tokens.length; first += chunkSize) {
    const chunk = tokens.slice(first, first + chunkSize);
    const logits = await session.evaluate(chunk, { logits: "all", chunkSize, signal });
    yield toLittleEndian(logits);
  }
}

/** The bytes of floats, little-endian on every machine. */
function toLittleEndian(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  return isLittleEndian ? bytes : Buffer.from(bytes).swap32();
}
