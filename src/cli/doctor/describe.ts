/** The report of `plm doctor` as short lines. */
import { describeRates } from "../kernel-rates.js";
import { formatBytes, formatTable } from "../output.js";
import type { Benchmark, Choice, Features, Report, TypeKernels } from "./report.js";

export function describeReport(report: Report): string {
  const { version, runtime, platform, processor, memory, choice, problems } = report;
  const { avxVnni } = processor;
  const vnni = avxVnni === null ? "unknown" : yesOrNo(avxVnni);
  const container =
    memory.containerBytes === null
      ? ""
      : `, ${formatBytes(memory.containerBytes)} for this container`;
  return formatTable([
    ["package", `plm-wasm ${version}`],
    ["runtime", `${runtime.name} ${runtime.version}, ${runtime.engine}`],
    ["platform", `${platform.system} ${platform.release}, ${platform.architecture}`],
    ["processor", `${processor.model}, AVX-VNNI ${vnni}`],
    ["processors", `${processor.count}, for ${processor.parallelism} threads at once`],
    [
      "memory",
      `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free${container}`,
    ],
    ["wasm memory", `${formatBytes(memory.wasmLimitBytes)} at most`],
    ["features", describeFeatures(report.features)],
    ...(choice === null ? [] : describeChoice(choice)),
    ...(report.benchmark === null ? [] : describeBenchmark(report.benchmark)),
    ...problems.map((problem) => ["problem", problem]),
  ]);
}

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}

function describeFeatures(features: Features): string {
  const { simd, relaxedDot, sharedMemory, threads } = features;
  if (!features.wasm) return "no WebAssembly";
  const dot = relaxedDot === null ? "no" : relaxedDot === "wrong" ? "wrong" : `reads ${relaxedDot}`;
  const start = threads === null ? "untested" : yesOrNo(threads);
  const [fixed, shared] = [yesOrNo(simd), yesOrNo(sharedMemory)];
  return `simd ${fixed}, relaxed dot ${dot}, shared memory ${shared}, threads ${start}`;
}

function describeChoice(choice: Choice): string[][] {
  const kernels = Object.entries(choice.kernels).filter(([, { gmacs }]) => gmacs !== null);
  return [
    ["variant", `${choice.variant}: ${choice.variantReason}`],
    ["threads", `${choice.threads}: ${choice.threadsReason}`],
    ["kernels", choice.kernelsReason],
    ...kernels.map(([type, found]) => [`  ${type}`, describeKernels(found)]),
  ];
}

function describeKernels({ decode, planes, gmacs }: TypeKernels): string {
  const chosen = planes.length === 0 ? "i16" : `planes ${planes.join(" or ")}`;
  return `decode ${decode}, prefill ${chosen}; ${describeRates(gmacs!)}`;
}

function describeBenchmark({ prefillTokens, decodeTokens, rates }: Benchmark): string[][] {
  return rates.map(({ threads, prefill, decode }) => [
    `${threads} thread${threads === 1 ? "" : "s"}`,
    `prefill of ${prefillTokens} ${prefill.tokensPerSecond.toFixed(0)} tokens/s, ` +
      `decode of ${decodeTokens} ${decode.tokensPerSecond.toFixed(0)} tokens/s`,
  ]);
}
