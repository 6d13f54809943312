/**
 * Grammars of bytes as expressions. JSON Schema, regular expressions and GBNF are turned into
 * these, and the automaton is made of them.
 */

/** Bytes `from` to `to`, both included, lead to state `target`. */
export interface ByteEdge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}

/** A deterministic automaton over bytes. It begins in state 0. */
export interface ByteDfa {
  /** The edges of each state, which do not overlap. */
  readonly edges: readonly (readonly ByteEdge[])[];
  /** Whether the bytes may end in a state. */
  readonly finals: readonly boolean[];
}

/** A set of byte strings. */
export type Expression =
  /** Exactly these bytes; possibly none. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** What a deterministic automaton accepts. */
  | { readonly kind: "dfa"; readonly dfa: ByteDfa }
  /** One part after the other. */
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  /** Any one of the parts; without parts, nothing at all. */
  | { readonly kind: "choice"; readonly parts: readonly Expression[] }
  /** The body `min` to `max` times; `max` may be Infinity. */
  | {
      readonly kind: "repeat";
      readonly body: Expression;
      readonly min: number;
      readonly max: number;
    }
  /** What the rule of this name stands for. */
  | { readonly kind: "rule"; readonly name: string };

/** Rules, which may refer to each other, and the one that the whole text follows. */
export interface Grammar {
  readonly root: string;
  readonly rules: ReadonlyMap<string, Expression>;
}
