/** `plm quantize`: rewrites a file with matrices of fewer bits. */
import type { Command } from "commander";
import { openModel } from "../../checkpoint/open-model.js";
import { listOf } from "../../describe.js";
import { planModel } from "../../engine/plan.js";
import { quote } from "../../errors.js";
import type { Gguf } from "../../format/gguf.js";
import type { QuantizedType } from "../../format/quantize.js";
import { type Requantized, requantize } from "../../format/requantize.js";
import { closeSources, openSources } from "../../sources/source.js";
import { Tokenizer } from "../../tokenizer/tokenizer.js";
import { addForce, addJson, addType } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { noteWarnings } from "../options.js";
import { formatBytes, note, writeJson, writeLine } from "../output.js";
import { refuseInputs, writeOutput } from "../output-file.js";
import { createProgressBar } from "../progress.js";

interface QuantizeFlags {
  readonly type: "q4_0" | "q8_0";
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The most names in one note. */
const MOST_NAMED = 3;

export function addQuantize(program: Command): void {
  const command = program
    .command("quantize")
    .summary("write a model in fewer bits")
    .description(
      "Writes a GGUF file anew with its matrices as Q8_0 or Q4_0, rounded as llama.cpp rounds " +
        "them. All matrices become that type, the embedding and an output matrix too, which " +
        "llama.cpp would keep at Q6_K in Q4_0 files; vectors (norms) stay as they are, as does " +
        "the metadata except general.file_type and general.quantization_version. Each further " +
        "rounding loses a little: start from the largest file you have. What could not be loaded " +
        "is not written.",
    )
    .argument("<in>", "GGUF file of F32, F16, BF16 and Q8_0 tensors; of a split one, any part")
    .argument("<out>", "the GGUF file to write");
  addForce(addType(command, ["q4_0", "q8_0"]));
  addJson(command, "{out, type, tensors, changed, inputBytes, outputBytes}")
    .addHelpText("after", "\nExample:\n  plm quantize --type q4_0 random.gguf random-q4_0.gguf")
    .action((from: string, out: string, flags: QuantizeFlags) =>
      withInterrupt((signal) => run(from, out, flags, signal)),
    );
}

async function run(
  from: string,
  out: string,
  flags: QuantizeFlags,
  signal: AbortSignal,
): Promise<void> {
  const type = flags.type.toUpperCase() as QuantizedType;
  const sources = await openSources(from, signal);
  try {
    const inputs = sources.map(({ name }) => name);
    await refuseInputs({ path: out, label: "out" }, inputs);
    const gguf = await openModel(sources, {}, signal);
    const file = await requantize(gguf, type, signal);
    checkLoads(gguf, file);
    const outputBytes = await write(file, out, flags, signal);
    const inputBytes = sources.reduce((sum, { size = 0 }) => sum + size, 0);
    const tensors = gguf.tensors.size;
    const changed = file.changed.length;
    if (flags.json) return writeJson({ out, type, tensors, changed, inputBytes, outputBytes });
    const sizes = `${formatBytes(outputBytes)}, from ${formatBytes(inputBytes)}`;
    await writeLine(`${out}: ${sizes}; ${changed} of ${tensors} tensors became ${type}`);
  } finally {
    await closeSources(sources);
  }
}

/** Throws what loading the new file's header would throw: an unloadable file is not written. */
function checkLoads(gguf: Gguf, { tensors }: Requantized): void {
  planModel({ ...gguf, tensors: new Map(tensors) }, { contextLength: 1, threads: 1 });
  noteWarnings(Tokenizer.fromMetadata(gguf.metadata));
}

/** Writes the file with a progress bar, and returns its length. */
async function write(
  { byteLength, ragged, pieces }: Requantized,
  out: string,
  { force }: QuantizeFlags,
  signal: AbortSignal,
): Promise<number> {
  if (ragged.length > 0) {
    const names = listOf(ragged.map(quote), MOST_NAMED);
    note(`kept as they are, since their rows are no multiple of 32: ${names}`);
  }
  const bar = createProgressBar("quantizing");
  try {
    return await writeOutput({ path: out, label: "out", force }, pieces, signal, (loadedBytes) =>
      bar.update({ loadedBytes, totalBytes: byteLength }),
    );
  } finally {
    bar.stop();
  }
}
