/** `plm pull`: downloads a model into the store. */
import type { Command } from "commander";
import { models, type PullOptions, type StoredModel } from "../../sources/models.js";
import { withInterrupt } from "../interrupt.js";
import { formatBytes, writeJson, writeLine } from "../output.js";
import { integer } from "../parse.js";
import { createProgressBar } from "../progress.js";

interface PullFlags {
  readonly sha256?: string;
  readonly hub?: string;
  readonly token?: string;
  readonly connections?: number;
  readonly json?: boolean;
}

export function addPull(program: Command): void {
  program
    .command("pull")
    .argument("<source>", "hf:owner/repo/file[@revision], hf:owner/repo or a URL")
    .description("download a model into the store, or go on where that was interrupted")
    .option("--sha256 <hex>", "what the file must hash to; the hub says it by itself")
    .option("--hub <url>", "address of the hub (default: HF_ENDPOINT, else huggingface.co)")
    .option("--token <token>", "access token for the hub (default: HF_TOKEN)")
    .option("--connections <n>", "most requests at a time (default: 4)", integer("connections", 1))
    .option("--json", "print the stored files as JSON")
    .addHelpText("after", "\nExample:\n  plm pull hf:owner/repo/model.gguf")
    .action((source: string, flags: PullFlags) =>
      withInterrupt((signal) => pull(source, flags, signal)),
    );
}

async function pull(source: string, flags: PullFlags, signal: AbortSignal): Promise<void> {
  const { json, ...options } = flags;
  const bar = createProgressBar("downloading");
  let stored: StoredModel[];
  try {
    const onProgress: PullOptions["onProgress"] = (progress) => bar.update(progress);
    stored = await models.pull(source, { ...options, signal, onProgress });
  } finally {
    bar.stop();
  }
  if (json) return writeJson({ models: stored });
  for (const model of stored) {
    await writeLine(`${model.source}: ${formatBytes(model.sizeBytes)}, whole`);
  }
}
