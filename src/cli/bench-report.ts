/** What `plm bench` prints. */
import type { MatmulRates } from "../kernels/choose-kernels.js";
import type { Precision } from "../model/precision.js";
import type { FirstToken, Residency } from "./bench.js";
import { describeRates } from "./kernel-rates.js";
import { formatBytes, formatTable } from "./output.js";

/** The flags that the text mentions. */
export interface ReportFlags {
  readonly prefill: number;
  readonly decode: number;
  readonly depth: number;
  readonly sequences?: number;
  readonly sharedPrefix?: number;
}

/** What `--json` prints. Rates are in 1e9 bytes per second. */
export interface Report {
  /** `gmacs`: 1e9 multiplications per second, zeros included, without the output head. */
  readonly prefill: { readonly tokensPerSecond: number; readonly gmacs: number };
  readonly decode: {
    /** Of all sequences together. */
    readonly tokensPerSecond: number;
    /** With --sequences: the rate of each, that of one alone, and all over one. */
    readonly perSequence?: number;
    readonly alone?: number;
    readonly gain?: number;
  };
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
  /** With --shared-prefix. */
  readonly firstToken?: FirstToken;
  /** With --resident-layers, of the first of which the other figures are. */
  readonly residentLayers?: readonly Residency[];
}

export interface Machine {
  readonly cpu: string;
  readonly node: string;
  /** null if the system does not say. */
  readonly avxVnni: boolean | null;
}

/** The limit of prefill: the rate of the products when only arithmetic limits them. */
function describeKernels({ kernelGmacs, threads }: Report): string {
  if (kernelGmacs === null) return "not timed";
  return `${describeRates(kernelGmacs, threads)} in cache, ${threads} threads`;
}

/** One sequence, or several beside one alone. */
function describeDecode(
  { decode: { tokensPerSecond, perSequence, alone, gain } }: Report,
  tokens: number,
  sequences: number | undefined,
): [string, string][] {
  const speed = (value = 0): string => `${value.toFixed(2)} tokens/s`;
  if (sequences === undefined) return [[`decode ${tokens}`, speed(tokensPerSecond)]];
  const all = `${speed(tokensPerSecond)}, ${speed(perSequence)} each`;
  return [
    [`decode ${tokens}`, `${speed(alone)} alone`],
    [`${sequences} sequences`, `${all}, ${gain?.toFixed(2)}x one alone`],
  ];
}

function describeFirstToken(
  { firstToken }: Report,
  shared: number | undefined,
): [string, string][] {
  if (firstToken === undefined) return [];
  const { coldMs, warmMs, cachedTokens } = firstToken;
  const times = `${coldMs.toFixed(0)} ms, then ${warmMs.toFixed(0)} ms`;
  const gain = (coldMs / warmMs).toFixed(1);
  return [
    ["first token", `${times} (${gain}x sooner) behind ${shared} tokens, ${cachedTokens} reused`],
  ];
}

/** The length of the longest bar. */
const BAR = 20;

/** The rates with some layers in memory, and bars of them. */
function describeResidency(
  { residentLayers = [] }: Report,
  { prefill, decode }: ReportFlags,
): [string, string][] {
  const rows = (what: string, rateOf: (residency: Residency) => number): [string, string][] => {
    const most = Math.max(...residentLayers.map(rateOf));
    return residentLayers.map((residency) => {
      const rate = rateOf(residency);
      const bar = "█".repeat(Math.round((BAR * rate) / most) || 1);
      const figures = `${rate.toFixed(2).padStart(8)} tokens/s ${bar}`;
      const memory = formatBytes(residency.memoryBytes);
      return [`${what}, ${residency.layers} in memory`, `${figures} (${memory})`];
    });
  };
  const prefills = prefill > 0 ? rows("prefill", (of) => of.prefillTokensPerSecond) : [];
  const decodes = decode > 0 ? rows("decode", (of) => of.decodeTokensPerSecond) : [];
  return [...prefills, ...decodes];
}

/** A table for people. */
export function describeReport(report: Report, flags: ReportFlags): string {
  const { prefill, decode, depth, sequences, sharedPrefix } = flags;
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
    ...describeDecode(report, decode, sequences),
    ...describeFirstToken(report, sharedPrefix),
    ...describeResidency(report, flags),
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
