/** What one thread computes a forward pass with. */
import type { CacheRows } from "../cache/rows.js";
import type { Kernels } from "../kernels/kernels.js";
import type { Member } from "../kernels/team.js";
import type { BatchBoard } from "./batch.js";
import type { Buffers, ThreadBuffers } from "./buffers.js";
import type { PlmConfig } from "./config.js";

/** What a thread computes with. */
export interface ThreadParts {
  readonly config: PlmConfig;
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly member: Member;
  readonly buffers: Buffers & ThreadBuffers;
  readonly batch: BatchBoard;
  readonly cache: CacheRows;
}
