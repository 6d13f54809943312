/**
 * Linear layers: Y = X W^T, each thread on its share of the rows of W. Activations are rounded to
 * the integers that the chosen kernel takes. Decode multiplies tokens one by one, exactly; prefill
 * multiplies them together, with as many bits as `precision` says.
 */
import type { KernelChoice } from "../kernels/choose-kernels.js";
import { isRelaxed, type Kernels } from "../kernels/kernels.js";
import {
  activationBytes,
  i16RowBytes,
  isFloatType,
  type MatvecForm,
  PACKED_TYPES,
  type PackedTypeName,
  packedBytes,
} from "../kernels/packed.js";
import { ProductShape } from "../kernels/structs.js";
import type { Member } from "../kernels/team.js";
import type { Phase, Rows } from "./batch.js";
import { type Precision, type Product, planesOf } from "./precision.js";
import { outputStride, type Weight } from "./weights.js";

/** The form of rounded activations: a matvec's, or tiles of 1 or 2 planes of several tokens. */
export type RoundedForm = MatvecForm | 1 | 2;

/** The form of activations: rounded, or plain floats for float weights. */
export type ActivationForm = "F32" | RoundedForm;

/** Activations of consecutive rows, in the form that a product takes. */
export interface Activations extends Rows {
  readonly ptr: number;
  readonly form: ActivationForm;
  /** The floats that they were rounded from; float weights take these. */
  readonly xPtr: number;
}

/** Rows of a tile of prefill's activations. */
const TILE = 4;

/** Whether threads take pieces of a product one by one; one token's steps are too short. */
function isPiecemeal(parts: readonly Rows[]): boolean {
  return parts.length > 1 || parts[0].n > 1;
}

/** The parts of a Linear. */
export interface LinearParts {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly member: Member;
  readonly choice: KernelChoice;
  readonly shapePtr: number;
  readonly scratchPtr: number;
}

export class Linear {
  /** The precision of prefill. */
  precision: Precision = "exact";
  readonly #parts: LinearParts;
  readonly #shape: ProductShape;

  constructor(parts: LinearParts) {
    this.#parts = parts;
    this.#shape = new ProductShape(parts.memory, parts.shapePtr);
  }

  /** The form in which a weight takes the tokens of a phase. */
  #formOf({ type }: Weight, product: Product, phase: Phase): ActivationForm {
    if (isFloatType(type)) return "F32";
    if (phase === "decode") return this.matvecForm(type);
    const planes = planesOf(this.precision, product);
    return this.#parts.choice.matmul[type]?.includes(planes) ? planes : "I16";
  }

  /** This thread's share of rows: tiles of prefill are not divided. */
  share({ first, n, phase }: Rows): readonly [first: number, end: number] {
    const [own, end] = this.#parts.member.share(n, phase === "decode" ? 1 : TILE);
    return [first + own, first + end];
  }

  /**
   * Rounds this thread's share of f32[rows, cols] at xPtr, a weight's input, to toPtr, each part in
   * the form of its phase's product. Returns `made`, made of the same floats, if its forms are
   * these.
   */
  quantize(
    toPtr: number,
    xPtr: number,
    parts: readonly Rows[],
    weight: Weight,
    product: Product,
    made?: readonly Activations[],
  ): readonly Activations[] {
    const { cols } = weight;
    const isMade = ({ phase, form }: Activations): boolean =>
      form === this.#formOf(weight, product, phase);
    if (made?.every(isMade)) return made;
    const activations: Activations[] = [];
    for (const rows of parts) {
      const { first, n, phase } = rows;
      const form = this.#formOf(weight, product, phase);
      const ptr = toPtr + activationBytes(first, cols);
      if (form !== "F32") {
        const [own, end] = this.share(rows);
        const at = ptr + (own - first) * activationRowBytes(form, cols);
        this.quantizeRows(at, xPtr + own * cols * 4, end - own, cols, form);
      }
      activations.push({ first, n, phase, ptr, form, xPtr: xPtr + first * cols * 4 });
    }
    return activations;
  }

  /** Rounds f32[rows, cols] to a form, on this thread alone. */
  quantizeRows(toPtr: number, xPtr: number, rows: number, cols: number, form: RoundedForm): void {
    const { kernels } = this.#parts;
    if (rows === 0) return;
    if (form === "I16") kernels.quantizeI16(toPtr, xPtr, rows, cols);
    else if (form !== "S8X2") kernels.quantizePlanes(toPtr, xPtr, rows, cols, form);
    else if (isRelaxed(kernels)) kernels.quantizeS8X2(toPtr, xPtr, rows, cols);
    else throw new TypeError(`${form}: expected the relaxed kernels`);
  }

  /**
   * f32[n, rows] = X W^T, rows padded to 8, together with the other threads: all parts in one pass
   * over the weight.
   */
  multiply(yPtr: number, weight: Weight, parts: readonly Activations[]): void {
    const { type, rows, cols, ptr } = weight;
    const stride = outputStride(weight);
    const padded = isFloatType(type) ? rows : stride;
    this.#parts.member.divide(padded, 8, isPiecemeal(parts), (first, end) => {
      const slice = { ...weight, ptr: ptr + packedBytes(type, first, cols), rows: end - first };
      for (const x of parts) {
        this.multiplyRows(yPtr + (x.first * stride + first) * 4, slice, x, stride);
      }
    });
  }

  /** All rows of `weight`, on this thread alone; tokens' outputs are `stride` floats apart. */
  multiplyRows(yPtr: number, weight: Weight, x: Omit<Activations, "first">, stride: number): void {
    const { kernels, scratchPtr } = this.#parts;
    const { ptr, type, rows, cols } = weight;
    const { id, matvec } = PACKED_TYPES[type];
    const isDecode = x.phase === "decode" && matvec.length > 0;
    if (isDecode && x.n === 1) {
      if (x.form === "I16") kernels.matvecI16(yPtr, ptr, id, x.ptr, rows, cols);
      else if (isRelaxed(kernels)) kernels.matvecS8X2(yPtr, ptr, id, x.ptr, rows, cols);
      return;
    }
    const planes = typeof x.form === "number" ? x.form : 0;
    const shapePtr = this.#shape.ptr;
    this.#shape.write({ n: x.n, rows, cols, stride, planes });
    if (isDecode) {
      if (x.form === "I16") kernels.matvecRowsI16(yPtr, ptr, id, x.ptr, shapePtr);
      else if (isRelaxed(kernels)) kernels.matvecRowsS8X2(yPtr, ptr, id, x.ptr, shapePtr);
    } else if (isFloatType(type)) kernels.matmulF32(yPtr, ptr, id, x.xPtr, shapePtr);
    else if (x.form === "I16") kernels.matmulI16(yPtr, ptr, id, x.ptr, shapePtr, scratchPtr);
    else kernels.matmulPlanes(yPtr, ptr, id, x.ptr, shapePtr, scratchPtr);
  }

  /** The form of one token's activations for this type. */
  matvecForm(type: PackedTypeName): MatvecForm {
    return this.#parts.choice.matvec[type] ?? "I16";
  }
}

/** Bytes of a token's activations; tiles begin at multiples of 4 tokens. */
function activationRowBytes(form: RoundedForm, cols: number): number {
  if (form === 1) return (cols / 32) * 48;
  return form === 2 ? (cols / 32) * 80 : i16RowBytes(cols);
}
