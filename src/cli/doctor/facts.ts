/** The facts of `plm doctor`: package, runtime, system, processor, memory. */
import os from "node:os";
import platform from "#platform";
import { MAX_MEMORY_BYTES } from "../../kernels/arena.js";
import { hasAvxVnni, processorName, readVersion } from "../machine.js";
import type { Facts } from "./report.js";

export function readFacts(): Facts {
  return {
    version: readVersion(),
    runtime: describeRuntime(),
    platform: { system: os.platform(), release: os.release(), architecture: os.arch() },
    processor: {
      model: processorName(),
      count: os.cpus().length,
      parallelism: platform.parallelism(),
      avxVnni: hasAvxVnni(),
    },
    memory: {
      totalBytes: os.totalmem(),
      freeBytes: os.freemem(),
      containerBytes: containerLimit(),
      wasmLimitBytes: MAX_MEMORY_BYTES,
    },
  };
}

function describeRuntime(): Facts["runtime"] {
  const { deno, bun, node, v8, webkit } = process.versions;
  const engine = bun === undefined ? `V8 ${v8}` : `JavaScriptCore ${webkit ?? ""}`.trim();
  if (bun !== undefined) return { name: "Bun", version: bun, engine };
  if (deno !== undefined) return { name: "Deno", version: deno, engine };
  return { name: "Node", version: node, engine };
}

/** The limit of a container; without one, runtimes report none, or more than there is. */
function containerLimit(): number | null {
  const bytes = process.constrainedMemory?.() ?? 0;
  return bytes > 0 && bytes < os.totalmem() ? bytes : null;
}
