/** `plm init`: writes a small random model. */
import { type FileHandle, open, rm } from "node:fs/promises";
import { type Command, Option } from "commander";
import { PlmError } from "../../errors.js";
import { withInterrupt } from "../interrupt.js";
import { formatBytes, writeJson, writeLine } from "../output.js";
import { integer } from "../parse.js";
import {
  createRandomModel,
  DEFAULT_RANDOM_MODEL,
  type RandomModelOptions,
} from "../random-model.js";

interface InitFlags extends RandomModelOptions {
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What each number means. */
const DIMS: readonly [flag: string, key: keyof RandomModelOptions, help: string][] = [
  ["layers", "layers", "layers"],
  ["hidden", "hidden", "width of the residual stream"],
  ["intermediate", "intermediate", "neurons of each MLP"],
  ["heads", "heads", "attention heads"],
  ["kv-lora-rank", "kvLoraRank", "width of the latent that is cached"],
  ["nope", "nope", "query and key dims without position, a head"],
  ["rope", "rope", "query and key dims with rotary position"],
  ["v-head", "vHead", "value dims, a head"],
  ["vocab", "vocab", "tokens: bytes, some words, specials, padding"],
  ["context", "context", "context length"],
];

export function addInit(program: Command): void {
  const command = program
    .command("init")
    .summary("write a small random model")
    .description(
      "Writes a small PLM with random weights: it babbles, and everything else works as with a " +
        "trained one. The same options and seed give the same file.",
    )
    .requiredOption("-o, --out <file>", "the GGUF file to write")
    .option("--force", "overwrite the file if it exists");
  for (const [flag, key, help] of DIMS) {
    const fallback = DEFAULT_RANDOM_MODEL[key];
    command.option(`--${flag} <n>`, help, integer(flag, 1), fallback);
  }
  command
    .addOption(
      new Option("--type <type>", "how matrices are stored")
        .choices(["f32", "q8_0"])
        .default(DEFAULT_RANDOM_MODEL.type),
    )
    .option("-s, --seed <n>", "seed of the weights", integer("seed", 0), DEFAULT_RANDOM_MODEL.seed)
    .option("--json", "print {out, bytes}")
    .addHelpText("after", "\nExample:\n  plm init --out random.gguf --layers 2 --seed 7")
    .action((flags: InitFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: InitFlags, signal: AbortSignal): Promise<void> {
  const { out, force, json } = flags;
  const pieces = createRandomModel(flags);
  const file = await openOutput(out, force);
  let bytes = 0;
  try {
    for (const piece of pieces) {
      signal.throwIfAborted();
      await file.writeFile(piece);
      bytes += piece.length;
    }
  } catch (error) {
    await file.close();
    await rm(out, { force: true });
    throw error;
  }
  await file.close();
  if (json) await writeJson({ out, bytes });
  else await writeLine(`${out}: ${formatBytes(bytes)}`);
}

async function openOutput(path: string, force = false): Promise<FileHandle> {
  try {
    return await open(path, force ? "w" : "wx");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === "EEXIST" ? `${path}, which exists; --force overwrites it` : message;
    throw new PlmError("INVALID_ARGUMENT", `--out: expected a new file, got ${got}`, { cause });
  }
}
