/** Regular expressions as trees. Groups are gone, and greed, which changes no set of texts. */
import type { CodePoints } from "../characters/code-points.js";

export type RegexNode =
  /** One character of the set. */
  | { readonly kind: "set"; readonly set: CodePoints }
  /** One part after the other. */
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  /** Any one of the parts. */
  | { readonly kind: "choice"; readonly parts: readonly RegexNode[] }
  /** The body `min` to `max` times; `max` may be Infinity. */
  | {
      readonly kind: "repeat";
      readonly body: RegexNode;
      readonly min: number;
      readonly max: number;
    }
  /** `^` or `$`. */
  | { readonly kind: "assertion"; readonly when: "at the start" | "at the end" };
