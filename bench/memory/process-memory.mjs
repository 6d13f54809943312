// What Linux says of processes' memory.
import { readdirSync, readFileSync } from "node:fs";

/**
 * The most memory that a process has had, and what of it was its own now: without pages of program
 * files, which processes share and the system can drop. The latter is Chromium's "private memory
 * footprint".
 */
export function memoryOf(pid) {
  const [peak, now, anonymous] = ["VmHWM", "VmRSS", "RssAnon"].map((name) => fieldOf(pid, name));
  return { peakBytes: peak * 1024, privateBytes: (peak - (now - anonymous)) * 1024 };
}

/** The memory of the largest renderer among the processes that this one has started. */
export function rendererMemory() {
  const found = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const isRenderer = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer");
      if (isRenderer && descends(pid)) found.push(memoryOf(pid));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found.sort((a, b) => b.peakBytes - a.peakBytes)[0];
}

function descends(pid) {
  for (let parent = Number(pid); parent > 1; parent = fieldOf(parent, "PPid")) {
    if (parent === process.pid) return true;
  }
  return false;
}

/** A number of /proc/PID/status; memory is in KiB. */
function fieldOf(pid, name) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]);
}
