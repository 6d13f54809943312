/** The parts that one thread's forward pass consists of. */
import type { CacheRows } from "../cache/rows.js";
import type { Kernels } from "../kernels/kernels.js";
import type { Member } from "../kernels/team.js";
import type { BatchBoard } from "./batch.js";
import type { Buffers, ThreadBuffers } from "./buffers.js";
import type { PlmConfig } from "./config.js";

/** One thread's kernels, memory and place in the team. */
export interface ThreadParts {
  readonly config: PlmConfig;
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly member: Member;
  readonly buffers: Buffers & ThreadBuffers;
  readonly batch: BatchBoard;
  readonly cache: CacheRows;
}
