/** Conformance: threads, streamed layers, variants of the kernels and precisions. */
import { type Model, PlmError } from "../../src/index.js";
import { type Check, equal, fail, logitsOf, near, PROMPT, type Subject } from "./subject.js";

/** Largest difference of a logit if the activations of prefill have 8 bits. */
const FAST_TOLERANCE = 0.1;

/** A model in a variant; undefined if this runtime refuses it. */
async function loadVariant(
  { file, load }: Subject,
  variant: "simd" | "relaxed",
): Promise<Model | undefined> {
  try {
    return await load(file, { variant });
  } catch (error) {
    if (error instanceof PlmError && error.code === "UNSUPPORTED_RUNTIME") return undefined;
    throw error;
  }
}

/** What may differ between runtimes and must not affect results. */
export const THREAD_CHECKS: Record<string, Check> = {
  "two threads, where there are any, give exactly what one gives": async (subject) => {
    const { file, load, hasThreads } = subject;
    const alone = await load(file, { threads: 1 });
    const together = await load(file, { threads: 2 });
    equal([alone.threads, together.threads], [1, hasThreads ? 2 : 1]);
    for (const chunkSize of [1, 5, 64]) {
      const expected = await logitsOf(alone, PROMPT, chunkSize);
      equal([...(await logitsOf(together, PROMPT, chunkSize))], [...expected]);
    }
    together.dispose();
    equal(together.threads, 1);
    alone.dispose();
  },
  "the number of threads may be left to the package": async ({ model, file, load }) => {
    const other = await load(file, { threads: undefined });
    if (!(other.threads >= 1)) fail(`expected at least one thread, got ${other.threads}`);
    equal([...(await logitsOf(other, PROMPT))], [...(await logitsOf(model, PROMPT))]);
    other.dispose();
  },
  "layers that are streamed from a Blob or bytes give the same": async (subject) => {
    const { model, file, load } = subject;
    const expected = await logitsOf(model, PROMPT);
    for (const source of [new Blob([file]), file]) {
      const other = await load(source, { residentLayers: 1, threads: 2 });
      for (let pass = 0; pass < 2; pass++) {
        equal([...(await logitsOf(other, PROMPT))], [...expected]);
      }
      other.dispose();
    }
  },
  "the plain kernels, and the relaxed ones where they are right": async (subject) => {
    for (const variant of ["simd", "relaxed"] as const) {
      const other = await loadVariant(subject, variant);
      if (other === undefined && variant === "simd") fail("simd was refused");
      if (other !== undefined)
        near(await logitsOf(other, PROMPT), await logitsOf(subject.model, PROMPT));
      other?.dispose();
    }
  },
  "every precision is near the exact one": async ({ model, file, load }) => {
    const exact = await logitsOf(model, PROMPT);
    for (const precision of ["balanced", "fast"] as const) {
      const other = await load(file, { precision });
      const logits = await logitsOf(other, PROMPT);
      const difference = Math.max(...exact.map((value, i) => Math.abs(value - logits[i])));
      if (!(difference <= FAST_TOLERANCE)) fail(`${precision}: off by ${difference}`);
      other.dispose();
    }
  },
};
