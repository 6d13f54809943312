/** `plm convert`: writes a Hugging Face folder as a GGUF file. */
import type { Command } from "commander";
import { ggufPieces } from "../../checkpoint/gguf-pieces.js";
import { openCheckpoint, type QuantizeChoice } from "../../checkpoint/open-model.js";
import { planModel } from "../../engine/plan.js";
import type { ByteSource } from "../../format/byte-source.js";
import type { Gguf } from "../../format/gguf.js";
import { closeSources, finishSources, openWhole } from "../../sources/source.js";
import { Tokenizer } from "../../tokenizer/tokenizer.js";
import { addForce, addJson, addQuantizing } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { noteWarnings } from "../options.js";
import { formatBytes, writeJson, writeLine } from "../output.js";
import { refuseInputs, writeOutput } from "../output-file.js";
import { createProgressBar } from "../progress.js";

interface ConvertFlags {
  readonly quantize?: QuantizeChoice;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function addConvert(program: Command): void {
  const command = program
    .command("convert")
    .summary("write a Hugging Face folder as a GGUF file")
    .description(
      "Writes the model of a Hugging Face folder (config.json, safetensors, tokenizer files) as " +
        "one GGUF file, piece by piece. Matrices keep their type (F32, F16, BF16) or become Q8_0 " +
        "or Q4_0 as `plm quantize` makes them; vectors (norms) become F32. The folder itself can " +
        "be loaded as well, with the same logits. What could not be loaded is not written.",
    )
    .argument(
      "<folder>",
      "folder with config.json, safetensors files and a tokenizer, or hf:owner/repo",
    )
    .argument("<out>", "the GGUF file to write");
  addForce(addQuantizing(command));
  addJson(command, "{out, quantize, tensors, inputBytes, outputBytes}")
    .addHelpText("after", "\nExample:\n  plm convert random-hf random-q8_0.gguf --quantize q8_0")
    .action((folder: string, out: string, flags: ConvertFlags) =>
      withInterrupt((signal) => run(folder, out, flags, signal)),
    );
}

/** The file's bytes; fails before its end if a downloaded file is not what it should be. */
async function* checkedPieces(
  gguf: Gguf,
  sources: readonly ByteSource[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  yield* ggufPieces(gguf, signal);
  await finishSources(sources, signal);
}

async function run(
  folder: string,
  out: string,
  flags: ConvertFlags,
  signal: AbortSignal,
): Promise<void> {
  const { quantize = "none", force } = flags;
  const sources = await openWhole(folder, signal);
  const bar = createProgressBar("converting");
  try {
    const place = { path: out, label: "out", force };
    await refuseInputs(
      place,
      sources.map(({ name }) => name),
    );
    const gguf = await openCheckpoint(sources, quantize, signal);
    // Throws what loading the new file's header would throw.
    planModel(gguf, { contextLength: 1, threads: 1 });
    noteWarnings(Tokenizer.fromMetadata(gguf.metadata));
    const totalBytes = gguf.sources[0].size!;
    const pieces = checkedPieces(gguf, sources, signal);
    const outputBytes = await writeOutput(place, pieces, signal, (loadedBytes) =>
      bar.update({ loadedBytes, totalBytes }),
    );
    bar.stop();
    const inputBytes = sources.reduce((sum, { size = 0 }) => sum + size, 0);
    const tensors = gguf.tensors.size;
    if (flags.json) return writeJson({ out, quantize, tensors, inputBytes, outputBytes });
    const sizes = `${formatBytes(outputBytes)}, from ${formatBytes(inputBytes)}`;
    await writeLine(`${out}: ${sizes}; ${tensors} tensors`);
  } finally {
    bar.stop();
    await closeSources(sources);
  }
}
