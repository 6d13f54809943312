/**
 * Writers of the structs that the training kernels read, each created once over BYTES bytes at an
 * address, a multiple of 4; and the places of a thread's structs. The named files draw them.
 */

import { Struct } from "../../kernels/structs.js";

/** The offsets of a thread's structs from the first, 64 bytes apart. */
export const STRUCT_OFFSETS = {
  gemm: 0,
  attend: 64,
  attendGrads: 128,
  attendInputs: 192,
  adamw: 256,
} as const;

/** Bytes of a thread's structs. */
export const STRUCTS_BYTES = 320;

/** A matrix product: GemmShape of assembly/training/gemm.ts. */
export class GemmShape extends Struct {
  static override readonly BYTES = 32;

  write({ m, n, k, aRow, aCol, bRow, cRow, accumulate }: GemmFields): void {
    const { words } = this;
    words[0] = m;
    words[1] = n;
    words[2] = k;
    words[3] = aRow;
    words[4] = aCol;
    words[5] = bRow;
    words[6] = cRow;
    words[7] = accumulate ? 1 : 0;
  }
}

/** C[m, n] of A[m, k] and B[k, n]; distances are in floats. */
export interface GemmFields {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** from a row, or a column, to the next */
  readonly aRow: number;
  readonly aCol: number;
  readonly bRow: number;
  readonly cRow: number;
  /** whether the product is added to C */
  readonly accumulate: boolean;
}

/** Attention of one sequence: AttendShape of assembly/training/attend-tile.ts. */
export class AttendShape extends Struct {
  static override readonly BYTES = 28;

  write({ length, heads, nopeDim, ropeDim, valueDim, kPeRow, scale }: AttendFields): void {
    const { words } = this;
    words[0] = length;
    words[1] = heads;
    words[2] = nopeDim;
    words[3] = ropeDim;
    words[4] = valueDim;
    words[5] = kPeRow;
    this.floats[6] = scale;
  }
}

export interface AttendFields {
  /** tokens of the sequence */
  readonly length: number;
  readonly heads: number;
  readonly nopeDim: number;
  readonly ropeDim: number;
  readonly valueDim: number;
  /** floats from a row of kPe to the next */
  readonly kPeRow: number;
  /** the factor of the scores */
  readonly scale: number;
}

/** Addresses that attendGrad reads from: `inputs` of assembly/training/attend-tile.ts. */
export class AttendInputs extends Struct {
  static override readonly BYTES = 24;

  write({ q, kv, kPe, out, lse, dout }: AttendInputFields): void {
    const { words } = this;
    words[0] = q;
    words[1] = kv;
    words[2] = kPe;
    words[3] = out;
    words[4] = lse;
    words[5] = dout;
  }
}

export interface AttendInputFields {
  readonly q: number;
  readonly kv: number;
  readonly kPe: number;
  readonly out: number;
  readonly lse: number;
  readonly dout: number;
}

/** Addresses that attendGrad writes to: `grads` of assembly/training/attend-tile.ts. */
export class AttendGrads extends Struct {
  static override readonly BYTES = 12;

  write({ dq, dkv, dkPe }: AttendGradFields): void {
    const { words } = this;
    words[0] = dq;
    words[1] = dkv;
    words[2] = dkPe;
  }
}

export interface AttendGradFields {
  readonly dq: number;
  readonly dkv: number;
  readonly dkPe: number;
}
