/** `plm bench`: the speed of prefill and decoding on this machine. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { type Command, Option } from "commander";
import platform from "#platform";
import { cacheRowBytes } from "../../cache/rows.js";
import { VARIANTS, type Variant } from "../../engine/load.js";
import { PlmError } from "../../errors.js";
import type { Model } from "../../generation/model.js";
import type { MatmulRates } from "../../kernels/choose-kernels.js";
import type { Precision } from "../../model/precision.js";
import { measureDecode, measurePrefill, median, prefillMacs, readPerToken } from "../bench.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions, type ModelFlags, openModel } from "../options.js";
import { formatBytes, formatTable, showNotes, writeJson, writeLine } from "../output.js";
import { integer } from "../parse.js";

interface BenchFlags extends ModelFlags {
  readonly prefill: number;
  readonly decode: number;
  readonly depth: number;
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
        "compares the bytes that decoding reads with a plain read of the same memory.",
    )
    .option("-p, --prefill <n>", "tokens of prefill; 0: none", integer("prefill", 0), 128)
    .option("-n, --decode <n>", "tokens to decode; 0: none", integer("decode", 0), 32)
    .option("-d, --depth <n>", "tokens that are in the cache already", integer("depth", 0), 0)
    .option("--repeat <n>", "runs of each", integer("repeat", 1), 3)
    .addOption(
      new Option(
        "--variant <name>",
        "which kernels (default: relaxed where this runtime has them right)",
      ).choices(VARIANTS),
    )
    .option("--json", "print the numbers as one object instead");
  addModelOptions(command, { context: "what --depth, -p and -n need" })
    .addHelpText("after", "\nExample:\n  plm bench -p 32 -n 8 --repeat 1")
    .action((flags: BenchFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: BenchFlags, signal: AbortSignal): Promise<void> {
  const { prefill, decode, depth, repeat, variant } = flags;
  const startMs = performance.now();
  const needed = depth + Math.max(prefill, decode, 1);
  const contextLength = flags.context ?? needed;
  if (contextLength < needed) throw tooFew(needed, contextLength);
  const overrides = { contextLength, ...(variant && { variant }) };
  const model = await openModel(flags, signal, overrides).catch((error: unknown) => {
    throw flags.context === undefined ? inOwnWords(error) : error;
  });
  const loadMs = performance.now() - startMs;
  const run = { session: model.createSession(), depth, repeat, signal };
  const prefillMs = await measurePrefill(run, prefill);
  const prefillRate = rate(prefill, prefillMs);
  const rounds = await measureDecode(model, run, decode);
  const zeroShare = median(rounds.map((round) => round.zeroShare));
  const { bytes, denseBytes } = readPerToken(model, zeroShare);
  const decodeGBs = rounds.map(({ decodeMs }) => (bytes * decode) / decodeMs / 1e6);
  const shares = rounds.map(({ readGBs }, i) => decodeGBs[i] / readGBs);
  const report: Report = {
    prefill: { tokensPerSecond: prefillRate, gmacs: (prefillRate * prefillMacs(model)) / 1e9 },
    decode: { tokensPerSecond: rate(decode, median(rounds.map((round) => round.decodeMs))) },
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
    machine: describeMachine(),
  };
  if (flags.json) return writeJson(report);
  showNotes();
  await writeLine(describe(report, flags));
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

/** What `--json` prints. Rates are in 1e9 bytes per second. */
interface Report {
  /** `gmacs`: 1e9 multiplications per second, zeros included, without the output head. */
  readonly prefill: { readonly tokensPerSecond: number; readonly gmacs: number };
  readonly decode: { readonly tokensPerSecond: number };
  readonly depth: number;
  /** Threads that computed. */
  readonly threads: number;
  readonly variant: string;
  readonly loadMs: number;
  readonly peakMemoryBytes: number | null;
  readonly cacheBytesPerToken: number;
  /** Of decoding; null without decoding. */
  readonly zeroShare: number | null;
  readonly bytesPerToken: number;
  readonly denseBytesPerToken: number;
  readonly readGBs: number;
  readonly decodeGBs: number;
  readonly shareOfRead: number;
  /** The rates of one thread's kernels in cache, timed while loading; null if not timed. */
  readonly kernelGmacs: MatmulRates | null;
  readonly precision: Precision;
  readonly machine: Machine;
}

interface Machine {
  readonly cpu: string;
  readonly node: string;
  /** null if the system does not say. */
  readonly avxVnni: boolean | null;
}

/** Tokens per second; 0 without tokens. */
function rate(tokens: number, durationMs: number): number {
  return durationMs > 0 ? (1000 * tokens) / durationMs : 0;
}

function cacheBytesPerToken({ config, plan }: Model): number {
  return config.numHiddenLayers * cacheRowBytes(plan.options.cacheType, config);
}

function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || process.arch,
    node: process.version,
    avxVnni: detectAvxVnni(),
  };
}

function detectAvxVnni(): boolean | null {
  try {
    return /\bavx_vnni\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return null;
  }
}

/** The limit of prefill: the rate of the products when only arithmetic limits them. */
function describeKernels({ kernelGmacs, threads }: Report): string {
  if (kernelGmacs === null) return "simd only";
  const { exact, twoPlanes, onePlane } = kernelGmacs;
  const all = [exact, twoPlanes, onePlane].map((gmacs) => (gmacs * threads).toFixed(0));
  return `${all.join(", ")} GMAC/s in cache: i16, two planes, one; ${threads} threads`;
}

function describe(report: Report, { prefill, decode, depth }: BenchFlags): string {
  const { machine } = report;
  const speed = ({ tokensPerSecond }: { tokensPerSecond: number }): string =>
    `${tokensPerSecond.toFixed(2)} tokens/s`;
  const gigabytes = (value: number): string => `${value.toFixed(2)} GB/s`;
  const vnni = machine.avxVnni === null ? "unknown" : machine.avxVnni ? "yes" : "no";
  const { zeroShare, peakMemoryBytes } = report;
  return formatTable([
    ["machine", `${machine.cpu}, Node ${machine.node}, AVX-VNNI ${vnni}, ${report.variant}`],
    [
      `prefill ${prefill}`,
      `${speed(report.prefill)}, ${report.prefill.gmacs.toFixed(1)} GMAC/s (${report.precision})`,
    ],
    ["kernels", describeKernels(report)],
    [`decode ${decode}`, speed(report.decode)],
    ["depth", `${depth} tokens, ${report.cacheBytesPerToken} bytes of cache each`],
    ["threads", String(report.threads)],
    ["load", `${report.loadMs.toFixed(0)} ms`],
    ["peak memory", peakMemoryBytes === null ? "unknown" : formatBytes(peakMemoryBytes)],
    ["zeros", zeroShare === null ? "unknown" : `${(100 * zeroShare).toFixed(1)} %`],
    [
      "weights read",
      `${formatBytes(report.bytesPerToken)} a token ` +
        `(${formatBytes(report.denseBytesPerToken)} dense)`,
    ],
    ["decode reads", gigabytes(report.decodeGBs)],
    [
      "plain read",
      `${gigabytes(report.readGBs)}; decode has ${(100 * report.shareOfRead).toFixed(0)} % of it`,
    ],
  ]);
}
