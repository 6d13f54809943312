/**
 * Writers of the structs that kernels with many parameters read: each made once over BYTES bytes
 * at an address, a multiple of 4, and written as often as it changes. The files that are
 * named draw them.
 */

/** What all writers have: a struct's address, and views of its words. */
export abstract class Struct {
  /** Bytes that the struct takes. */
  static readonly BYTES: number;
  readonly ptr: number;
  protected readonly words: Int32Array;
  protected readonly floats: Float32Array;

  constructor(memory: WebAssembly.Memory, ptr: number) {
    const length = new.target.BYTES / 4;
    this.ptr = ptr;
    this.words = new Int32Array(memory.buffer, ptr, length);
    this.floats = new Float32Array(memory.buffer, ptr, length);
  }
}

/** A product of several tokens: ProductShape of assembly/linear/layout.ts. */
export class ProductShape extends Struct {
  static override readonly BYTES = 20;

  write({ n, rows, cols, stride, planes }: ProductFields): void {
    const { words } = this;
    words[0] = n;
    words[1] = rows;
    words[2] = cols;
    words[3] = stride;
    words[4] = planes;
  }
}

export interface ProductFields {
  /** tokens */
  readonly n: number;
  /** outputs, inputs */
  readonly rows: number;
  readonly cols: number;
  /** outputs from one token's to the next's */
  readonly stride: number;
  /** those of the activations; 0 where they are not in planes */
  readonly planes: number;
}

/** A product with a slab, or its packing: SlabShape of assembly/down/slab-layout.ts. */
export class SlabShape extends Struct {
  static override readonly BYTES = 16;

  write({ neurons, outputs, first, end }: SlabFields): void {
    const { words } = this;
    words[0] = neurons;
    words[1] = outputs;
    words[2] = first;
    words[3] = end;
  }
}

export interface SlabFields {
  readonly neurons: number;
  readonly outputs: number;
  /** the outputs that a call writes; packing has no use for them */
  readonly first: number;
  readonly end: number;
}

/** Attention over pages of the cache: LatentShape of assembly/attention/latent-shape.ts. */
export class LatentShape extends Struct {
  static override readonly BYTES = 28;

  write({ heads, latentDim, ropeDim, scale, stride, offset, unscored }: LatentFields): void {
    const { words } = this;
    words[0] = heads;
    words[1] = latentDim;
    words[2] = ropeDim;
    this.floats[3] = scale;
    words[4] = stride;
    words[5] = offset;
    words[6] = unscored;
  }
}

export interface LatentFields {
  /** heads that share the rows */
  readonly heads: number;
  /** values of a row's part 1, which is summed, and of its part 2 */
  readonly latentDim: number;
  readonly ropeDim: number;
  /** what scores are multiplied by */
  readonly scale: number;
  /** bytes from row to row */
  readonly stride: number;
  /** bytes from a page's address to its first row */
  readonly offset: number;
  /** values at a row's start that scores leave out: 0, or latentDim */
  readonly unscored: number;
}

/** A tile of expanded attention: ExpandedTile of assembly/attention/expanded-tile.ts. */
export class ExpandedTile extends Struct {
  static override readonly BYTES = 48;

  /** All but the tile's place. */
  write(fields: ExpandedFields): void {
    const { words } = this;
    words[0] = fields.queries;
    words[1] = fields.heads;
    words[2] = fields.nopeDim;
    words[3] = fields.ropeDim;
    words[4] = fields.valueDim;
    this.floats[5] = fields.scale;
    words[6] = fields.queryPosition;
    words[9] = fields.kPeStride;
    words[10] = fields.firstHead;
    words[11] = fields.endHead;
  }

  /** The tile's first position, and how many it has. */
  moveTo(position: number, count: number): void {
    this.words[7] = position;
    this.words[8] = count;
  }
}

export interface ExpandedFields {
  readonly queries: number;
  readonly heads: number;
  readonly nopeDim: number;
  readonly ropeDim: number;
  readonly valueDim: number;
  /** what scores are multiplied by */
  readonly scale: number;
  /** the position of the first query */
  readonly queryPosition: number;
  /** floats from one row of kPe to the next */
  readonly kPeStride: number;
  /** the heads that a call computes */
  readonly firstHead: number;
  readonly endHead: number;
}
