/** `plm logits`: the logits of every position, into a file. */
import { type FileHandle, open, rm } from "node:fs/promises";
import type { Command } from "commander";
import { PlmError } from "../../errors.js";
import type { Model } from "../../generation/model.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions, type ModelFlags, openModel } from "../options.js";
import { writeJson, writeLine } from "../output.js";
import { ids, integer } from "../parse.js";

interface LogitsFlags extends ModelFlags {
  readonly tokens: number[];
  readonly out: string;
  readonly chunk?: number;
  readonly json?: boolean;
}

/** Tokens that go through the model at once where neither --chunk nor --batch says. */
const DEFAULT_CHUNK = 256;

export function addLogits(program: Command): void {
  const command = program
    .command("logits")
    .summary("logits of every position")
    .description(
      "Evaluates tokens and writes the logits after each of them: float32, little-endian, " +
        "[tokens, vocabulary].",
    )
    .requiredOption("--tokens <list>", "token ids, such as 1,2,3", ids("tokens"))
    .requiredOption("-o, --out <file>", "the file to write; one of that name is overwritten")
    .option(
      "--chunk <n>",
      "tokens at once: 1 goes through decode, more through prefill (default: 256)",
      integer("chunk", 1),
    )
    .option("--json", "print {out, tokens, vocabSize}");
  addModelOptions(command)
    .addHelpText("after", "\nExample:\n  plm logits --tokens 72,105 --out logits.f32 --chunk 1")
    .action((flags: LogitsFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: LogitsFlags, signal: AbortSignal): Promise<void> {
  const { tokens, out } = flags;
  const chunk = flags.chunk ?? flags.batch ?? DEFAULT_CHUNK;
  const batchSize = flags.batch ?? Math.max(chunk, DEFAULT_CHUNK);
  const model = await openModel(flags, signal, { batchSize });
  checkTokens(tokens, model);
  const file = await openOutput(out);
  try {
    await writeLogits(model, tokens, { file, chunk: Math.min(chunk, batchSize), signal });
  } catch (error) {
    await file.close();
    await rm(out, { force: true });
    throw error;
  }
  await file.close();
  const { vocabSize } = model.config;
  if (flags.json) return writeJson({ out, tokens: tokens.length, vocabSize });
  await writeLine(`${out}: float32 [${tokens.length}, ${vocabSize}]`);
}

/** Throws what the evaluation would, before anything is written. */
function checkTokens(tokens: readonly number[], model: Model): void {
  const { vocabSize } = model.config;
  const { contextLength } = model.plan.options;
  const wrong = tokens.find((token) => token >= vocabSize);
  if (wrong !== undefined) {
    throw new PlmError(
      "INVALID_TOKEN",
      `--tokens: expected ids from 0 to ${vocabSize - 1}, got ${wrong}`,
    );
  }
  if (tokens.length > contextLength) {
    throw new PlmError(
      "CONTEXT_FULL",
      `--tokens: expected at most ${contextLength} (the context), got ${tokens.length}`,
    );
  }
}

async function openOutput(path: string): Promise<FileHandle> {
  try {
    return await open(path, "w");
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new PlmError("INVALID_ARGUMENT", `--out: expected a writable path, got ${reason}`, {
      cause,
    });
  }
}

interface LogitsOutput {
  readonly file: FileHandle;
  readonly chunk: number;
  readonly signal: AbortSignal;
}

/** Evaluates chunk by chunk, so that no more than one chunk's logits are held. */
async function writeLogits(
  model: Model,
  tokens: readonly number[],
  { file, chunk, signal }: LogitsOutput,
): Promise<void> {
  const session = model.createSession();
  for (let first = 0; first < tokens.length; first += chunk) {
    const logits = await session.evaluate(tokens.slice(first, first + chunk), {
      logits: "all",
      chunkSize: chunk,
      signal,
    });
    await file.writeFile(toLittleEndian(logits));
  }
}

/** The bytes of floats; turned around on the machines that need it. */
function toLittleEndian(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  return isLittleEndian ? bytes : Buffer.from(bytes).swap32();
}
