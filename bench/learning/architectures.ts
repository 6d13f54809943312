/** The architectures of the comparisons: PLM with other attentions and MLPs. */
import type { Architecture } from "../../src/training/network/architecture.js";
import { MLA } from "../../src/training/network/attention.js";
import { RELU2_MLP } from "../../src/training/network/mlp.js";
import type { MlpSublayer, SublayerKind } from "../../src/training/network/sublayer.js";
import { GELU, SWIGLU } from "./activations.js";
import { denseMlp } from "./dense-mlp.js";
import { FULL_ATTENTION } from "./full-attention.js";

/** The two parts of a layer, by name. */
export interface LayerParts {
  readonly attention: "mla" | "full";
  readonly activation: "relu2" | "gelu" | "swiglu";
}

const ATTENTIONS: Readonly<Record<LayerParts["attention"], SublayerKind>> = {
  mla: MLA,
  full: FULL_ATTENTION,
};

const MLPS: Readonly<Record<LayerParts["activation"], SublayerKind<MlpSublayer>>> = {
  relu2: RELU2_MLP,
  gelu: denseMlp(GELU),
  swiglu: denseMlp(SWIGLU),
};

/** The architecture of those parts. */
export function architectureOf({ attention, activation }: LayerParts): Architecture {
  return { attention: ATTENTIONS[attention], mlp: MLPS[activation] };
}
