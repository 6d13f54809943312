/** What the package, the system and the processor say about themselves. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** The version of the package. */
export function readVersion(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** The processor's name, or its architecture where the system does not say. */
export function processorName(): string {
  return cpus()[0]?.model.trim() || process.arch;
}

/** Whether the processor has AVX-VNNI; null if the system does not say. */
export function hasAvxVnni(): boolean | null {
  try {
    return /\bavx_vnni\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return null;
  }
}
