/** `plm export`: writes a GGUF file as a Hugging Face folder. */
import { lstat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type ExportOptions, exportCheckpoint } from "../../checkpoint/export.js";
import { TOKENIZER_FORMS } from "../../checkpoint/export-tokenizer.js";
import { openModel } from "../../checkpoint/open-model.js";
import { planModel } from "../../engine/plan.js";
import { invalidArgument } from "../../errors.js";
import { closeSources, openSources } from "../../sources/source.js";
import { addJson } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { formatBytes, writeJson, writeLine } from "../output.js";
import { createProgressBar } from "../progress.js";
import { writeFolder } from "../write-folder.js";

interface ExportFlags extends ExportOptions {
  readonly json?: boolean;
}

export function addExport(program: Command): void {
  const command = program
    .command("export")
    .summary("write a model as a Hugging Face folder")
    .description(
      "Writes a GGUF file as a folder with config.json, model.safetensors, a tokenizer, the chat " +
        "template and generation_config.json, which transformers' users and `plm convert` can " +
        "read. F32, F16 and BF16 tensors keep their bits; quantised ones become floats, which " +
        "take more room.",
    )
    .argument("<model>", "path or URL of a GGUF file")
    .argument("<folder>", "the folder to write, which must not exist")
    .addOption(
      new Option("--dtype <type>", "what quantised tensors become")
        .choices(["f32", "f16", "bf16"])
        .default("f32"),
    )
    .addOption(
      new Option("--tokenizer <form>", "tokenizer.json, or vocab.json and merges.txt")
        .choices(TOKENIZER_FORMS)
        .default("json"),
    );
  addJson(command, "{out, files, changed, inputBytes, outputBytes}")
    .addHelpText("after", "\nExample:\n  plm export random.gguf random-hf --dtype bf16")
    .action((model: string, folder: string, flags: ExportFlags) =>
      withInterrupt((signal) => run(model, folder, flags, signal)),
    );
}

async function run(
  model: string,
  folder: string,
  flags: ExportFlags,
  signal: AbortSignal,
): Promise<void> {
  if (folder === "") throw invalidArgument("folder", "a new folder", '""');
  const out = resolve(folder);
  if ((await lstat(out).catch(() => undefined)) !== undefined) {
    throw invalidArgument("folder", "a new folder", `${folder}, which exists`);
  }
  const sources = await openSources(model, signal);
  const bar = createProgressBar("exporting");
  try {
    const gguf = await openModel(sources, {}, signal);
    // Throws what loading would throw.
    planModel(gguf, { contextLength: 1, threads: 1 });
    const { files, byteLength: totalBytes, changed } = exportCheckpoint(gguf, flags, signal);
    const outputBytes = await writeFolder(out, files, {
      name: `folder: ${folder}`,
      signal,
      onProgress: (loadedBytes) => bar.update({ loadedBytes, totalBytes }),
    });
    bar.stop();
    const inputBytes = sources.reduce((sum, { size = 0 }) => sum + size, 0);
    const told = { out: folder, files: files.length, changed: changed.length };
    if (flags.json) return writeJson({ ...told, inputBytes, outputBytes });
    const sizes = `${formatBytes(outputBytes)}, from ${formatBytes(inputBytes)}`;
    await writeLine(`${folder}: ${files.length} files, ${sizes}`);
  } finally {
    bar.stop();
    await closeSources(sources);
  }
}
