/** What one thread computes a forward pass with, and on. */
import type { LatentCache } from "../cache/rows.js";
import type { Kernels } from "../kernels/kernels.js";
import type { Member } from "../kernels/team.js";
import type { Buffers, ThreadBuffers } from "./buffers.js";
import type { PlmConfig } from "./config.js";

/** The tokens that one forward pass takes in. */
export interface Span {
  /** How many. */
  readonly n: number;
  /** The position of the first. */
  readonly position: number;
  readonly cache: LatentCache;
  readonly form: "absorbed" | "expanded";
}

/** What a thread computes with. */
export interface ThreadParts {
  readonly config: PlmConfig;
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly member: Member;
  readonly buffers: Buffers & ThreadBuffers;
}
