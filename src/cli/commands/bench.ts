/** `plm bench`: the speed of prefill and decoding on this machine. */
import { type Command, Option } from "commander";
import platform from "#platform";
import { cacheRowBytes } from "../../cache/rows.js";
import { VARIANTS, type Variant } from "../../engine/load.js";
import { PlmError } from "../../errors.js";
import type { Model } from "../../generation/model.js";
import { PAGE_ROWS } from "../../kernels/packed.js";
import {
  type FirstToken,
  measureDecode,
  measureFirstToken,
  measurePrefill,
  measureResidency,
  measureSequences,
  median,
  prefillMacs,
  rate,
  readPerToken,
  type SequencesTimes,
  TAIL_TOKENS,
} from "../bench.js";
import { describeReport, type Report, type ReportFlags } from "../bench-report.js";
import { addJson } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { hasAvxVnni, processorName } from "../machine.js";
import { addModelOptions, type ModelFlags, openModel, residentLayersOption } from "../options.js";
import { showNotes, writeJson, writeLine } from "../output.js";
import { integer, integers } from "../parse.js";

interface BenchFlags extends Omit<ModelFlags, "residentLayers">, ReportFlags {
  readonly residentLayers?: readonly number[];
  readonly repeat: number;
  readonly variant?: Variant;
  readonly json?: boolean;
}

export function addBench(program: Command): void {
  const command = program
    .command("bench")
    .summary("speed on this machine")
    .description(
      "Measures prefill and decoding over random tokens, as medians of several runs, and " +
        "compares the bytes that decoding reads with a plain read of the same memory. " +
        "--resident-layers takes several numbers, such as 1,8,32, and draws their rates.",
    )
    .option("-p, --prefill <n>", "tokens of the prompt; 0: none", integer("prefill", 0), 128)
    .option("-n, --decode <n>", "tokens to generate; 0: none", integer("decode", 0), 32)
    .option("-d, --depth <n>", "tokens that are in the cache already", integer("depth", 0), 0)
    .option(
      "--sequences <n>",
      "sequences that decode together, beside one alone",
      integer("sequences", 1),
    )
    .option(
      "--shared-prefix <n>",
      "tokens that prompts have in common: the time to the first token, without and with reuse",
      integer("shared-prefix", 1),
    )
    .addOption(residentLayersOption().argParser(integers("resident-layers", 1)))
    .option("--repeat <n>", "runs of each", integer("repeat", 1), 3)
    .addOption(
      new Option("--variant <name>", "which kernels")
        .choices(VARIANTS)
        .default(undefined, "relaxed where this runtime has them right"),
    );
  addJson(command, "{prefill, decode, depth, threads, variant, loadMs, ...}");
  addModelOptions(command, {
    context: { fallback: "what --depth, -p and -n need" },
    hasOwnResidentLayers: true,
  })
    .addHelpText("after", "\nExample:\n  plm bench -p 32 -n 8 --repeat 1")
    .action((flags: BenchFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: BenchFlags, signal: AbortSignal): Promise<void> {
  const { prefill, decode, depth, repeat, variant } = flags;
  const startMs = performance.now();
  const needed = depth + Math.max(prefill, decode, 1);
  const contextLength = flags.context ?? needed;
  if (contextLength < needed) throw tooFew(needed, contextLength);
  const { sequences, sharedPrefix, residentLayers = [] } = flags;
  const open = (count = residentLayers[0]): Promise<Model> => {
    const overrides = {
      contextLength,
      ...(variant && { variant }),
      ...(count && { residentLayers: count }),
      // Nothing that is measured may be reused.
      ...{ prefixCache: false, ...roomFor(sequences ?? 1, contextLength) },
    };
    return openModel(modelFlagsOf(flags), signal, overrides);
  };
  const model = await open().catch((error: unknown) => {
    throw flags.context === undefined ? inOwnWords(error) : error;
  });
  const loadMs = performance.now() - startMs;
  const run = { session: model.createSession(), depth, repeat, signal };
  const prefillMs = await measurePrefill(run, prefill);
  const prefillRate = rate(prefill, prefillMs);
  const rounds = await measureDecode(model, run, decode);
  run.session.dispose();
  const decodeRate = rate(decode, median(rounds.map((round) => round.decodeMs)));
  const many =
    sequences === undefined ? undefined : await measureSequences(model, run, sequences, decode);
  const zeroShare = median(rounds.map((round) => round.zeroShare));
  const { bytes, denseBytes } = readPerToken(model, zeroShare);
  const decodeGBs = rounds.map(({ decodeMs }) => (bytes * decode) / decodeMs / 1e6);
  const shares = rounds.map(({ readGBs }, i) => decodeGBs[i] / readGBs);
  const report: Report = {
    prefill: { tokensPerSecond: prefillRate, gmacs: (prefillRate * prefillMacs(model)) / 1e9 },
    decode:
      many === undefined ? { tokensPerSecond: decodeRate } : describeMany(many, flags, decode),
    depth,
    threads: model.threads,
    variant: model.variant,
    loadMs,
    peakMemoryBytes: platform.peakMemoryBytes() ?? null,
    cacheBytesPerToken: cacheBytesPerToken(model),
    zeroShare: decode > 0 ? zeroShare : null,
    bytesPerToken: bytes,
    denseBytesPerToken: denseBytes,
    readGBs: median(rounds.map((round) => round.readGBs)),
    decodeGBs: median(decodeGBs),
    shareOfRead: median(shares),
    kernelGmacs: model.kernelRates ?? null,
    precision: flags.precision,
    machine: { cpu: processorName(), node: process.version, avxVnni: hasAvxVnni() },
  };
  const [layers, ...others] = residentLayers;
  const first = layers && {
    layers,
    memoryBytes: model.plan.memory.bytes(),
    prefillTokensPerSecond: prefillRate,
    decodeTokensPerSecond: decodeRate,
  };
  const more = { prefill, decode, depth, repeat, signal };
  model.dispose();
  const whole: Report = {
    ...report,
    ...(sharedPrefix !== undefined && {
      firstToken: await firstTokenOf(flags, sharedPrefix, signal),
    }),
    ...(first && { residentLayers: [first, ...(await measureResidency(others, open, more))] }),
  };
  if (flags.json) return writeJson(whole);
  showNotes();
  await writeLine(describeReport(whole, flags));
}

/** The flags that describe the model alike in all that is measured. */
function modelFlagsOf({ residentLayers: _, ...flags }: BenchFlags): ModelFlags {
  return flags;
}

/** Room for sequences of a context each. */
function roomFor(
  sequences: number,
  contextLength: number,
): { maxSequences: number; cacheTokens: number } {
  const pages = Math.ceil(contextLength / PAGE_ROWS);
  return { maxSequences: sequences, cacheTokens: sequences * pages * PAGE_ROWS };
}

/** The times to the first token, of a model that reuses rows. */
async function firstTokenOf(
  flags: BenchFlags,
  shared: number,
  signal: AbortSignal,
): Promise<FirstToken> {
  const contextLength = shared + TAIL_TOKENS;
  // Beside the shared rows, those of each tail, in pages of their own.
  const room = roomFor(2, contextLength);
  const overrides = { contextLength, ...room, ...(flags.variant && { variant: flags.variant }) };
  const model = await openModel(modelFlagsOf(flags), signal, overrides);
  const { repeat } = flags;
  const firstToken = await measureFirstToken(model, { repeat, signal }, shared);
  model.dispose();
  return firstToken;
}

/** The rates of sequences that decode together: of all, of each, and of one alone. */
function describeMany(
  { aloneMs, togetherMs }: SequencesTimes,
  { sequences = 1 }: BenchFlags,
  decode: number,
): Report["decode"] {
  const perSequence = rate(decode, togetherMs);
  const tokensPerSecond = sequences * perSequence;
  const alone = rate(decode, aloneMs);
  return { tokensPerSecond, perSequence, alone, gain: alone > 0 ? tokensPerSecond / alone : 0 };
}

/** What a context must hold. */
const NEEDED = "--depth and the larger of --prefill and --decode";

function tooFew(needed: number, got: number): PlmError {
  const message = `--context: expected at least ${needed} (${NEEDED}), got ${got}`;
  return new PlmError("INVALID_ARGUMENT", message);
}

/** An error about a context that follows from other options, in terms of these. */
function inOwnWords(error: unknown): unknown {
  const known = PlmError.from(error);
  if (known?.argument !== "contextLength") return error;
  const message = known.message.replace(/^contextLength/, NEEDED);
  return new PlmError(known.code, message, { cause: error });
}

function cacheBytesPerToken({ config, plan }: Model): number {
  return config.numHiddenLayers * cacheRowBytes(plan.options.cacheType, config);
}
