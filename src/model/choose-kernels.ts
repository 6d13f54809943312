/** Which kernel serves which packed type: decided by timing, within what precision allows. */
import { isRelaxed, type Kernels } from "../kernels/kernels.js";
import { PACKED_TYPES, type PackedTypeName } from "../kernels/packed.js";

/** The kernels that were chosen; plain data, so that every thread has the same. */
export interface KernelChoice {
  /** For one token: the form of its activations. */
  readonly matvec: Readonly<Record<PackedTypeName, "I16" | "S8X2">>;
  /** For several: the numbers of planes whose kernel is faster than the exact one in i16. */
  readonly matmul: Readonly<Record<PackedTypeName, readonly (1 | 2)[]>>;
}

const NAMES = Object.keys(PACKED_TYPES) as PackedTypeName[];

function forAll<T>(value: (type: PackedTypeName) => T): Record<PackedTypeName, T> {
  return Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Record<PackedTypeName, T>;
}

export function chooseKernels(kernels: Kernels): KernelChoice {
  const relaxed = isRelaxed(kernels);
  return {
    matvec: forAll(() => (relaxed ? "S8X2" : "I16")),
    matmul: forAll(() => (relaxed ? [1, 2] : [])),
  };
}
