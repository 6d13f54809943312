/** What loading chooses on this machine, and why. */
import platform from "#platform";
import type { Model } from "../../generation/model.js";
import { chooseKernels, TIMING_BYTES } from "../../kernels/choose-kernels.js";
import { loadKernels, type Variant } from "../../kernels/load.js";
import { isFloatType, PACKED_TYPES, type PackedTypeName } from "../../kernels/packed.js";
import type { Choice, Features, TypeKernels } from "./report.js";

const PAGE_BYTES = 65536;

/** The choice of a model that was loaded with as many threads as can be. */
export async function explainChoice(model: Model, features: Features): Promise<Choice> {
  const { variant, threads } = model;
  return {
    variant,
    variantReason: explainVariant(features),
    threads,
    threadsReason: explainThreads(model),
    kernels: await timeKernels(variant),
    kernelsReason: "what was fast here when timed, within the limits of precision",
  };
}

function explainVariant({ relaxedDot }: Features): string {
  if (relaxedDot === "u8" || relaxedDot === "s8")
    return `its relaxed dot is exact here, ${relaxedDot}`;
  if (relaxedDot === null) return "this runtime refuses relaxed SIMD";
  const reading = relaxedDot === "wrong" ? "gives wrong results" : "saturates sums";
  return `this runtime's relaxed dot ${reading}; the relaxed kernels need one that is exact`;
}

function explainThreads({ threadFailure }: Model): string {
  if (threadFailure !== undefined) return threadFailure.message;
  if (platform.parallelism() === 1) return "there is one processor";
  return "the most; a model uses the fastest number, timed when it is loaded, a small model one";
}

/** Times the kernels of each type as loading does. */
async function timeKernels(variant: Variant): Promise<Record<string, TypeKernels>> {
  const pages = 1 + Math.ceil(TIMING_BYTES / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: PAGE_BYTES });
  const { kernels } = await loadKernels(memory, { variant });
  const types = Object.keys(PACKED_TYPES) as PackedTypeName[];
  const timed = new Set(types.filter((type) => !isFloatType(type)));
  const { matvec, matmul, rates } = chooseKernels(kernels, memory, PAGE_BYTES, timed);
  const found: Record<string, TypeKernels> = {};
  for (const type of timed) {
    const [decode, planes] = [matvec[type], matmul[type]];
    if (decode === undefined || planes === undefined) continue;
    found[type] = { decode, planes, gmacs: rates[type] ?? null };
  }
  return found;
}
