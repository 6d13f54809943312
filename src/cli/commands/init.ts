/** `plm init`: writes a small random model. */
import type { Command } from "commander";
import { addContext, addForce, addJson, addOut, addSeed, addType } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { formatBytes, writeJson, writeLine } from "../output.js";
import { writeOutput } from "../output-file.js";
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

/** The meaning of each number. */
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
];

export function addInit(program: Command): void {
  const command = program
    .command("init")
    .summary("write a small random model")
    .description(
      "Writes a small PLM with random weights: it babbles, and everything else works as with a " +
        "trained one. The same options and seed give the same file.",
    );
  addForce(addOut(command));
  for (const [flag, key, help] of DIMS) {
    const fallback = DEFAULT_RANDOM_MODEL[key];
    command.option(`--${flag} <n>`, help, integer(flag, 1), fallback);
  }
  const { context, type, seed } = DEFAULT_RANDOM_MODEL;
  addContext(command, { fallback: context });
  addSeed(addType(command, ["f32", "q8_0"], type), seed);
  addJson(command, "{out, bytes}")
    .addHelpText("after", "\nExample:\n  plm init --out random.gguf --layers 2 --seed 7")
    .action((flags: InitFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: InitFlags, signal: AbortSignal): Promise<void> {
  const { out, force, json } = flags;
  const pieces = createRandomModel(flags);
  const bytes = await writeOutput({ path: out, label: "--out", force }, pieces, signal);
  if (json) await writeJson({ out, bytes });
  else await writeLine(`${out}: ${formatBytes(bytes)}`);
}
