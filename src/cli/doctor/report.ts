/** What `plm doctor` finds out. Texts are for people; none names a user, a path or a variable. */
import type { MatmulRates } from "../../kernels/choose-kernels.js";
import type { Variant } from "../../kernels/load.js";
import type { MatvecForm } from "../../kernels/packed.js";
import type { DotReading } from "../../kernels/probe.js";

/** The package, the runtime and the machine. */
export interface Facts {
  /** Of the package. */
  readonly version: string;
  /** `engine` is that of JavaScript, such as "V8 11.3.244". */
  readonly runtime: { readonly name: string; readonly version: string; readonly engine: string };
  readonly platform: {
    readonly system: string;
    readonly release: string;
    readonly architecture: string;
  };
  readonly processor: {
    readonly model: string;
    readonly count: number;
    /** How many threads can run at once, as the runtime says. */
    readonly parallelism: number;
    readonly avxVnni: boolean | null;
  };
  readonly memory: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    /** Of a container; null if there is none, or the runtime does not say. */
    readonly containerBytes: number | null;
    /** What a 32-bit WebAssembly memory can hold. */
    readonly wasmLimitBytes: number;
  };
}

/** What this runtime has. */
export interface Features {
  readonly wasm: boolean;
  readonly simd: boolean;
  /** How the relaxed dot reads bytes with bit 7 set, as tested; null if it is refused. */
  readonly relaxedDot: DotReading | null;
  readonly sharedMemory: boolean;
  /** Whether a thread could be started; null with one processor. */
  readonly threads: boolean | null;
}

/** The kernels of a packed type. */
export interface TypeKernels {
  /** The form of a token's activations in decoding. */
  readonly decode: MatvecForm;
  /** The numbers of planes that prefill may use; none: activations in i16. */
  readonly planes: readonly (1 | 2)[];
  /** 1e9 multiplications a second of one thread, operands in its cache; null if not timed. */
  readonly gmacs: MatmulRates | null;
}

/** What loading chooses, each with its reason. */
export interface Choice {
  readonly variant: Variant;
  readonly variantReason: string;
  /** The most that a model uses. */
  readonly threads: number;
  readonly threadsReason: string;
  /** By packed type. */
  readonly kernels: Readonly<Record<string, TypeKernels>>;
  readonly kernelsReason: string;
}

/** Rates of the model that ships on a number of threads. */
export interface Rates {
  readonly threads: number;
  readonly prefill: { readonly tokensPerSecond: number };
  readonly decode: { readonly tokensPerSecond: number };
}

export interface Benchmark {
  /** Tokens at once, and one by one. */
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly rates: readonly Rates[];
}

/** What `--json` prints. */
export interface Report extends Facts {
  readonly features: Features;
  /** null if the model that ships cannot be loaded. */
  readonly choice: Choice | null;
  /** null if it is left out or the model cannot be loaded. */
  readonly benchmark: Benchmark | null;
  /** What is wrong, in words; none as a rule. */
  readonly problems: readonly string[];
}
