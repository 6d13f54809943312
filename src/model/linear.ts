/**
 * Linear layers: Y = X W^T, each thread on its share of the rows of W. Activations are rounded to
 * the integers that the chosen kernel takes. Decode multiplies tokens one by one, exactly; prefill
 * multiplies them together, with as many bits as `precision` says.
 */
import type { KernelChoice } from "../kernels/choose-kernels.js";
import { isRelaxed, type Kernels } from "../kernels/kernels.js";
import {
  i16RowBytes,
  isFloatType,
  type MatvecForm,
  PACKED_TYPES,
  type PackedTypeName,
  packedBytes,
} from "../kernels/packed.js";
import { ProductShape } from "../kernels/structs.js";
import type { Member } from "../kernels/team.js";
import type { Phase } from "./batch.js";
import { type Precision, type Product, planesOf } from "./precision.js";
import { outputStride, type Weight } from "./weights.js";

/** The form of rounded activations: a matvec's, or tiles of 1 or 2 planes of several tokens. */
export type RoundedForm = MatvecForm | 1 | 2;

/** The form of activations: rounded, or plain floats for float weights. */
export type ActivationForm = "F32" | RoundedForm;

/** Activations in the form that a product takes. */
export interface Activations {
  readonly ptr: number;
  readonly n: number;
  readonly phase: Phase;
  readonly form: ActivationForm;
  /** The floats that they were rounded from; float weights take these. */
  readonly xPtr: number;
}

/** Tokens whose activations are multiplied. */
export interface Tokens {
  readonly n: number;
  readonly phase: Phase;
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

  /**
   * Rounds this thread's share of f32[n, cols] at xPtr, a weight's input, to toPtr, in the form of
   * its product. Returns `made`, made of the same floats, if it has that form.
   */
  quantize(
    toPtr: number,
    xPtr: number,
    { n, phase }: Tokens,
    weight: Weight,
    product: Product,
    made?: Activations,
  ): Activations {
    const { cols } = weight;
    const form = this.#formOf(weight, product, phase);
    if (made?.form === form) return made;
    if (form !== "F32") {
      const [first, end] = this.#parts.member.share(n, 4);
      const at = toPtr + first * activationRowBytes(form, cols);
      this.quantizeRows(at, xPtr + first * cols * 4, end - first, cols, form);
    }
    return { ptr: toPtr, n, phase, form, xPtr };
  }

  /** Rounds f32[rows, cols] to a form, on this thread alone. */
  quantizeRows(toPtr: number, xPtr: number, rows: number, cols: number, form: RoundedForm): void {
    const { kernels } = this.#parts;
    if (rows === 0) return;
    if (form === "I16") kernels.quantizeI16(toPtr, xPtr, rows, cols);
    else if (!isRelaxed(kernels)) throw new TypeError(`${form}: expected the relaxed kernels`);
    else if (form === "S8X2") kernels.quantizeS8X2(toPtr, xPtr, rows, cols);
    else kernels.quantizePlanes(toPtr, xPtr, rows, cols, form);
  }

  /** f32[n, rows] = X W^T, rows padded to 8, together with the other threads. */
  multiply(yPtr: number, weight: Weight, x: Activations): void {
    const { type, rows, cols, ptr } = weight;
    const stride = outputStride(weight);
    this.#parts.member.divide(isFloatType(type) ? rows : stride, 8, x.n > 1, (first, end) => {
      const slice = { ...weight, ptr: ptr + packedBytes(type, first, cols), rows: end - first };
      this.multiplyRows(yPtr + first * 4, slice, x, stride);
    });
  }

  /** All rows of `weight`, on this thread alone; tokens' outputs are `stride` floats apart. */
  multiplyRows(yPtr: number, weight: Weight, x: Activations, stride: number): void {
    const { kernels, scratchPtr } = this.#parts;
    const { ptr, type, rows, cols } = weight;
    const { id } = PACKED_TYPES[type];
    if (x.phase === "decode" && PACKED_TYPES[type].matvec.length > 0) {
      for (let i = 0; i < x.n; i++) {
        const [y, xPtr] = [yPtr + i * stride * 4, x.ptr + i * i16RowBytes(cols)];
        if (x.form === "I16") kernels.matvecI16(y, ptr, id, xPtr, rows, cols);
        else if (isRelaxed(kernels)) kernels.matvecS8X2(y, ptr, id, xPtr, rows, cols);
      }
      return;
    }
    const planes = typeof x.form === "number" ? x.form : 0;
    const shapePtr = this.#shape.ptr;
    this.#shape.write({ n: x.n, rows, cols, stride, planes });
    if (isFloatType(type)) kernels.matmulF32(yPtr, ptr, id, x.xPtr, shapePtr);
    else if (x.form === "I16") kernels.matmulI16(yPtr, ptr, id, x.ptr, shapePtr, scratchPtr);
    else if (isRelaxed(kernels)) kernels.matmulPlanes(yPtr, ptr, id, x.ptr, shapePtr, scratchPtr);
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
