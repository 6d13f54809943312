/** The machine of a measurement: printed above every table and part of every JSON. */
import { execFileSync, type StdioOptions } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import os from "node:os";
import type { Variant } from "../src/kernels/load.js";

/** Machine, runtime and binary of a measurement. Texts that cannot be found out are "unknown". */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Whether the processor has AVX-VNNI or AVX512-VNNI; unknown without /proc/cpuinfo. */
  readonly avxVnni: "yes" | "no" | "unknown";
  readonly avx512Vnni: "yes" | "no" | "unknown";
  /** Largest cache, 0 if it is not known. */
  readonly lastLevelCacheBytes: number;
  readonly memoryBytes: number;
  readonly runtime: string;
  readonly os: string;
  /** Which kernels. */
  readonly variant: Variant | "training";
  readonly wasmBytes: number;
  readonly wasmSha256: string;
  /** Commit of the working tree, with "+" if files differ from it. */
  readonly commit: string;
}

/**
 * Inspects the machine, the runtime and the variant's binary. Throws if the binary is absent.
 */
export function readMachine(variant: Variant | "training"): Machine {
  const wasm = readFileSync(new URL(`../${variant}.wasm`, import.meta.url));
  const cpuinfo = readText("/proc/cpuinfo");
  const flags = cpuinfo && (/^(?:flags|Features)\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? "").split(" ");
  const hasFlag = (flag: string): "yes" | "no" | "unknown" =>
    flags === undefined ? "unknown" : flags.includes(flag) ? "yes" : "no";
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() || "unknown",
    cores: cpus.length,
    avxVnni: hasFlag("avx_vnni"),
    avx512Vnni: hasFlag("avx512_vnni"),
    lastLevelCacheBytes: lastLevelCacheBytes(),
    memoryBytes: os.totalmem(),
    runtime: describeRuntime(),
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    variant,
    wasmBytes: wasm.length,
    wasmSha256: createHash("sha256").update(wasm).digest("hex"),
    commit: describeCommit(),
  };
}

/** The lines above a table. */
export function describeMachine(machine: Machine): string {
  const { cpu, cores, avxVnni, avx512Vnni, lastLevelCacheBytes, memoryBytes } = machine;
  const cache = lastLevelCacheBytes ? `${lastLevelCacheBytes / 2 ** 20} MiB` : "unknown";
  return [
    `cpu      ${cpu}, ${cores} cores, AVX-VNNI ${avxVnni}, AVX512-VNNI ${avx512Vnni}`,
    `memory   last-level cache ${cache}, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    `runtime  ${machine.runtime}`,
    `os       ${machine.os}`,
    `kernels  ${machine.variant}, ${machine.wasmBytes} bytes, sha256 ${machine.wasmSha256}`,
    `commit   ${machine.commit}`,
  ].join("\n");
}

function describeRuntime(): string {
  const { bun, deno, node, v8 } = process.versions;
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? `Node ${node}, V8 ${v8}` : `Deno ${deno}, V8 ${v8}`;
}

function describeCommit(): string {
  try {
    const cwd = new URL("../..", import.meta.url);
    const stdio: StdioOptions = ["ignore", "pipe", "ignore"];
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd, encoding: "utf8", stdio }).trim();
    return git("rev-parse", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}

/** As Linux reports it for the first processor. */
function lastLevelCacheBytes(): number {
  let largest = 0;
  for (let index = 0; index < 8; index++) {
    const text = readText(`/sys/devices/system/cpu/cpu0/cache/index${index}/size`);
    const match = /^(\d+)([KM])/.exec(text ?? "");
    if (match === null) continue;
    largest = Math.max(largest, Number(match[1]) * (match[2] === "K" ? 2 ** 10 : 2 ** 20));
  }
  return largest;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
