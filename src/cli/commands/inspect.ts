/** `plm inspect`: a file's contents and its plan of memory. */
import type { Command } from "commander";
import { listOf } from "../../describe.js";
import type { ModelPlan } from "../../engine/plan.js";
import { quote } from "../../errors.js";
import type { Gguf } from "../../format/gguf.js";
import { type Inspection, inspectModel } from "../../generation/load-model.js";
import { addJson } from "../flags.js";
import { addModelOptions, findModel, type ModelFlags, toModelOptions } from "../options.js";
import { formatBytes, formatTable, showNotes, writeJson, writeLine } from "../output.js";

/** The most named chat templates in the list. */
const MOST_NAMED = 5;

export function addInspect(program: Command): void {
  const command = program
    .command("inspect")
    .summary("what is in a model file")
    .description(
      "Prints the architecture, the tensors by type, the memory that the model would take, the " +
        "tokenizer and the chat template. Reads the header only.",
    );
  addModelOptions(addJson(command, "{architecture, tensors, config, memory, tokenizer, ...}"))
    .addHelpText("after", "\nExample:\n  plm inspect --context 512")
    .action(run);
}

/** What `--json` prints. */
interface Report {
  readonly architecture: string;
  readonly name: string | null;
  readonly ggufVersion: number;
  readonly parameters: number;
  readonly config: ModelPlan["config"];
  readonly tensors: {
    readonly count: number;
    readonly bytes: number;
    readonly types: Record<string, { count: number; bytes: number }>;
  };
  readonly memory: {
    readonly totalBytes: number;
    readonly weightsBytes: number;
    readonly cacheBytes: number;
    readonly scratchBytes: number;
    /** Of the cache: 64 rows of one layer each. */
    readonly pages: { readonly count: number; readonly pageBytes: number };
    readonly options: ModelPlan["options"];
    readonly regions: ModelPlan["memory"]["regions"];
  };
  readonly tokenizer: {
    readonly model: string;
    readonly pre: string | null;
    readonly vocabSize: number;
    readonly bosTokenId: number | null;
    readonly eosTokenIds: number[];
    readonly paddingTokenId: number | null;
    readonly addBosToken: boolean;
    readonly warnings: readonly string[];
  };
  readonly chatTemplate: string | null;
  readonly namedChatTemplates: Readonly<Record<string, string>>;
}

async function run(flags: ModelFlags & { readonly json?: boolean }): Promise<void> {
  const inspection = await inspectModel(findModel(flags.model), toModelOptions(flags));
  const report = createReport(inspection);
  if (flags.json) return writeJson(report);
  showNotes();
  await writeLine(describe(report));
}

function createReport({ gguf, plan, tokenizer }: Inspection): Report {
  const { memory } = plan;
  return {
    architecture: String(gguf.metadata.get("general.architecture")),
    name: stringOrNull(gguf.metadata.get("general.name")),
    ggufVersion: gguf.version,
    ...countTensors(gguf),
    config: plan.config,
    memory: {
      totalBytes: memory.bytes(),
      weightsBytes: memory.bytes("weights"),
      cacheBytes: memory.bytes("cache"),
      scratchBytes: memory.bytes("scratch"),
      pages: { count: plan.pages.count, pageBytes: plan.pages.pageBytes },
      options: plan.options,
      regions: memory.regions,
    },
    tokenizer: {
      model: String(gguf.metadata.get("tokenizer.ggml.model")),
      pre: stringOrNull(gguf.metadata.get("tokenizer.ggml.pre")),
      vocabSize: tokenizer.vocabSize,
      bosTokenId: tokenizer.bosTokenId ?? null,
      eosTokenIds: [...tokenizer.eosTokenIds],
      paddingTokenId: tokenizer.paddingTokenId ?? null,
      addBosToken: tokenizer.addBosToken,
      warnings: tokenizer.warnings,
    },
    chatTemplate: tokenizer.chatTemplate ?? null,
    namedChatTemplates: tokenizer.namedChatTemplates,
  };
}

function stringOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function countTensors(gguf: Gguf): Pick<Report, "parameters" | "tensors"> {
  const types: Record<string, { count: number; bytes: number }> = {};
  let parameters = 0;
  let bytes = 0;
  for (const { type, shape, byteLength } of gguf.tensors.values()) {
    types[type] ??= { count: 0, bytes: 0 };
    types[type].count++;
    types[type].bytes += byteLength;
    bytes += byteLength;
    parameters += shape.reduce((product, size) => product * size, 1);
  }
  return { parameters, tensors: { count: gguf.tensors.size, bytes, types } };
}

/** A file's text without control characters, which a terminal would obey. */
function printable(text: string): string {
  return text.slice(0, 200).replace(/\p{Cc}/gu, "\ufffd");
}

/** A field of the config: a number, or an object of them. */
function show(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Whether there is a chat template, and the names of the named ones. */
function describeTemplates({ chatTemplate, namedChatTemplates }: Report): string {
  const names = Object.keys(namedChatTemplates).map(quote);
  if (names.length === 0) return chatTemplate === null ? "none" : "present";
  const named = `named ${listOf(names, MOST_NAMED)}`;
  return chatTemplate === null ? `only ${named}` : `present, and ${named}`;
}

function describe(report: Report): string {
  const { config, tensors, memory, tokenizer } = report;
  const { cacheType, contextLength, batchSize } = memory.options;
  const { count: pages } = memory.pages;
  const cacheBytes = formatBytes(memory.cacheBytes);
  const sections: [title: string, rows: [string, string][]][] = [
    [
      "Model",
      [
        ["name", printable(report.name ?? "none")],
        ["architecture", report.architecture],
        ["parameters", report.parameters.toLocaleString("en")],
        ...Object.entries(config).map(([key, value]): [string, string] => [key, show(value)]),
      ],
    ],
    [
      "Tensors",
      [
        ...Object.entries(tensors.types).map(([type, { count, bytes }]): [string, string] => [
          type,
          `${count} tensors, ${formatBytes(bytes)}`,
        ]),
        ["all", `${tensors.count} tensors, ${formatBytes(tensors.bytes)}`],
      ],
    ],
    [
      "Memory",
      [
        ["weights", formatBytes(memory.weightsBytes)],
        ["cache", `${cacheBytes} (${cacheType}, ${contextLength} tokens in ${pages} pages)`],
        ["scratch", `${formatBytes(memory.scratchBytes)} (prefill by ${batchSize} tokens)`],
        ["all", formatBytes(memory.totalBytes)],
      ],
    ],
    [
      "Tokenizer",
      [
        ["kind", `${tokenizer.model}, ${printable(tokenizer.pre ?? "no pre-tokenizer named")}`],
        ["vocabulary", String(tokenizer.vocabSize)],
        ["begin token", tokenizer.addBosToken ? `${tokenizer.bosTokenId}` : "none is added"],
        ["end tokens", tokenizer.eosTokenIds.join(", ")],
        ...tokenizer.warnings.map((warning): [string, string] => ["warning", warning]),
        ["chat template", describeTemplates(report)],
      ],
    ],
  ];
  return sections
    .map(([title, rows]) => `${title}\n${formatTable(rows).replace(/^/gm, "  ")}`)
    .join("\n");
}
