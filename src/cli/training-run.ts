/** The input and output of a training run: texts, tokenizer, and the files of its folder. */
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { PlmError } from "../errors.js";
import { loadModel } from "../generation/load-model.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { type TrainedTokenizer, trainTokenizer } from "../tokenizer/train.js";
import { metadataOf } from "../tokenizer/write-metadata.js";
import {
  decodeText,
  splitDocuments,
  type TokenizedText,
  tokenizeDocuments,
} from "../training/data/corpus.js";
import type { TrainingEngine } from "../training/engine/engine.js";
import { type ExportType, exportGguf } from "../training/export.js";
import { renderReport } from "../training/report/report.js";
import type { CheckpointStore } from "../training/run/checkpoints.js";
import type { TrainingConfig } from "../training/run/config.js";
import { type LogLine, parseLog } from "../training/run/log.js";
import { folderStore } from "./checkpoint-store.js";

/** A model trained on plain texts continues the messages as paragraphs of one text. */
const CHAT_TEMPLATE =
  "{% for message in messages %}{{ message['content'] }}" +
  "{% if not loop.last or add_generation_prompt %}{{ '\n\n' }}{% endif %}{% endfor %}";

/** A config's texts as documents, by name. Throws INVALID_CONFIG for one that is not text. */
export async function readTexts(
  config: TrainingConfig,
  configPath: string,
): Promise<Map<string, string[]>> {
  const texts = new Map<string, string[]>();
  for (const [name, { path, separator }] of Object.entries(config.texts)) {
    const bytes = await readFile(resolve(dirname(configPath), path)).catch((cause) => {
      const message = `text ${name}: expected a readable file, got ${cause.message}`;
      throw new PlmError("INVALID_CONFIG", message, { cause });
    });
    texts.set(name, splitDocuments(name, decodeText(name, bytes), separator));
  }
  return texts;
}

/** The vocabulary of the texts that the config names for it; the same for the same texts. */
export function trainVocabulary(
  { tokenizer }: TrainingConfig,
  texts: ReadonlyMap<string, readonly string[]>,
): Promise<TrainedTokenizer> {
  const documents = tokenizer.texts.flatMap((name) => texts.get(name)!);
  return trainTokenizer(documents, { vocabSize: tokenizer.vocabSize });
}

/** Throws INVALID_CONFIG if the prompt of samples does not fit into the model's context. */
export function checkPrompt(config: TrainingConfig, vocabulary: TrainedTokenizer): void {
  if (config.samples === undefined) return;
  const { length } = new Tokenizer(vocabulary).encode(config.samples.prompt);
  const most = config.model.maxPositionEmbeddings;
  if (length <= most) return;
  const expected = `at most ${most} tokens (model.maxPositionEmbeddings)`;
  throw new PlmError("INVALID_CONFIG", `samples.prompt: expected ${expected}, got ${length}`);
}

/** All texts in the vocabulary, by name. */
export function tokenizeTexts(
  texts: ReadonlyMap<string, readonly string[]>,
  vocabulary: TrainedTokenizer,
): Map<string, TokenizedText> {
  const tokenizer = new Tokenizer(vocabulary);
  return new Map(
    Array.from(texts, ([name, documents]) => [
      name,
      tokenizeDocuments(name, documents, tokenizer, vocabulary.eosTokenId),
    ]),
  );
}

/** The best model so far. */
const MODEL = "model.gguf";

/** Whether a run's folder has a model. */
export function hasModel(folder: string): boolean {
  return existsSync(join(folder, MODEL));
}

/** The model of a run. */
export interface TrainingRun {
  /** general.name of its models, and the title of its report. */
  readonly name: string;
  readonly config: TrainingConfig;
  readonly engine: TrainingEngine;
  readonly vocabulary: TrainedTokenizer;
}

/** The files of a run besides its checkpoints: log.jsonl, report.html, model.gguf. */
export class RunFolder {
  readonly #path: string;
  readonly #store: CheckpointStore;
  readonly #run: TrainingRun;
  #last: LogLine | undefined;

  private constructor(path: string, run: TrainingRun, last: LogLine | undefined) {
    this.#path = path;
    this.#store = folderStore(path);
    this.#run = run;
    this.#last = last;
  }

  /** Creates the folder, or removes the steps after `step` that a killed run left in its log. */
  static async open(path: string, run: TrainingRun, step: number): Promise<RunFolder> {
    const lines = (await readLog(path)).filter((line) => line.step <= step);
    const folder = new RunFolder(path, run, lines.at(-1));
    await folder.#write("log.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return folder;
  }

  /** The last step so far, if the log has any. */
  get last(): LogLine | undefined {
    return this.#last;
  }

  /** Adds a step to the log. */
  async log(line: LogLine): Promise<void> {
    this.#last = line;
    await appendFile(join(this.#path, "log.jsonl"), `${JSON.stringify(line)}\n`);
  }

  /** Writes the report of all steps so far. */
  async report(): Promise<void> {
    const { name: title, config } = this.#run;
    const lines = await readLog(this.#path);
    await this.#write("report.html", renderReport(lines, { title, config }));
  }

  /** Writes the parameters as they are now as a model. */
  async writeModel(): Promise<void> {
    await this.#store.writeAtomically(MODEL, [modelBytes(this.#run, "Q8_0")]);
  }

  #write(name: string, text: string): Promise<void> {
    return this.#store.writeAtomically(name, [new TextEncoder().encode(text)]);
  }
}

/** The steps in a folder's log; none without a log. Throws UNREADABLE_FILE. */
async function readLog(folder: string): Promise<LogLine[]> {
  const log = await readFile(join(folder, "log.jsonl"), "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw new PlmError("UNREADABLE_FILE", `log: expected a readable file, got ${error.message}`);
  });
  return parseLog(log);
}

function modelBytes({ name, engine, vocabulary }: TrainingRun, type: ExportType): Uint8Array {
  const tokenizer = metadataOf({ ...vocabulary, chatTemplate: CHAT_TEMPLATE });
  const { config, parameters, values } = engine;
  return Buffer.concat([...exportGguf(values, parameters, { config, type, name, tokenizer })]);
}

/** Text by the model in training, sampled with a fixed seed. */
export async function writeSample(
  run: TrainingRun,
  prompt: string,
  maxTokens: number,
): Promise<string> {
  const model = await loadModel(modelBytes(run, "F32"), { threads: 1 });
  const options = { maxTokens, temperature: 0.6, topP: 0.9, seed: 1 };
  try {
    return prompt + (await model.generate(prompt, options).text());
  } finally {
    model.dispose();
  }
}
