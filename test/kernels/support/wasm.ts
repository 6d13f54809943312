/** A memory with the kernels over it, for kernel tests. */
import { isRelaxed, type Kernels, type RelaxedKernels } from "../../../src/kernels/kernels.js";
import { kernelsBytes, loadKernels, type Variant } from "../../../src/kernels/load.js";
import type { UsableReading } from "../../../src/kernels/probe.js";
import { Regions } from "../../support/regions.js";
import { emulatedRelaxed } from "./emulated.js";

/** The byte that fills memory that must not be written to, and the float that four of them make. */
export const UNWRITTEN_BYTE = 0x5a;
export const UNWRITTEN: number = new Float32Array(new Uint8Array(4).fill(UNWRITTEN_BYTE).buffer)[0];

let defaultVariant: Variant = "simd";

/** The variant that benches have from now on, except where they name one. */
export function setDefaultVariant(variant: Variant): void {
  defaultVariant = variant;
}

/** Whether this runtime has the relaxed variant's dot exactly. */
export async function isRelaxedExact(): Promise<boolean> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const isValid = WebAssembly.validate(kernelsBytes("relaxed"));
  return isValid && (await loadKernels(memory)).variant === "relaxed";
}

/** Kernels of the relaxed variant that are exact in every runtime: emulated where they must be. */
export async function relaxedKernels(): Promise<Uint8Array<ArrayBuffer>> {
  return (await isRelaxedExact()) ? kernelsBytes("relaxed") : emulatedRelaxed();
}

/** A test's memory, with the kernels over it. */
export class Bench extends Regions {
  readonly kernels: Kernels;

  private constructor(kernels: Kernels, memory: WebAssembly.Memory) {
    super(memory);
    this.kernels = kernels;
  }

  static async create(
    megabytes = 16,
    { variant = defaultVariant, reading }: { variant?: Variant; reading?: UsableReading } = {},
  ): Promise<Bench> {
    const memory = new WebAssembly.Memory({ initial: megabytes * 16, maximum: megabytes * 16 });
    const relaxed = reading === undefined ? relaxedKernels() : emulatedRelaxed(reading);
    const binary = variant === "relaxed" ? await relaxed : kernelsBytes("simd");
    const { kernels } = await loadKernels(memory, { binary });
    return new Bench(kernels, memory);
  }

  /** The kernels of the relaxed variant only. */
  get relaxed(): RelaxedKernels {
    if (isRelaxed(this.kernels)) return this.kernels;
    throw new TypeError("expected a bench of the relaxed variant");
  }
}
