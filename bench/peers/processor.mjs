// Processor time as Linux counts it: of a process tree, and of the machine.
import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds in one unit of /proc's times. */
const TICK_MS = 10;

const sum = (values) => values.reduce((total, value) => total + Number(value), 0);

/** By process id: the parent, and milliseconds of all threads. */
function readProcesses() {
  const processes = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      const ms = sum(fields.slice(11, 13)) * TICK_MS;
      processes.set(Number(pid), { parent: Number(fields[1]), ms });
    } catch {
      // The process has ended.
    }
  }
  return processes;
}

/**
 * Milliseconds of process trees, in the order of their roots, and of the whole machine; undefined
 * if there is no /proc.
 */
export function readProcessorMs(roots) {
  try {
    const processes = readProcesses();
    const rootOf = (pid) => {
      if (roots.includes(pid) || !processes.has(pid)) return pid;
      return rootOf(processes.get(pid).parent);
    };
    const byRoot = new Map(roots.map((root) => [root, 0]));
    for (const [pid, { ms }] of processes) {
      const root = rootOf(pid);
      if (byRoot.has(root)) byRoot.set(root, byRoot.get(root) + ms);
    }
    const [user, nice, system, , , irq, softIrq, steal] = readFileSync("/proc/stat", "latin1")
      .split("\n", 1)[0]
      .split(/ +/)
      .slice(1);
    const machine = sum([user, nice, system, irq, softIrq, steal]) * TICK_MS;
    return { trees: roots.map((root) => byRoot.get(root)), machine };
  } catch {
    return undefined;
  }
}
