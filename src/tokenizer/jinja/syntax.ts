/** The syntax tree of a template. Kinds follow `jinja2.nodes`. */
import type { Value } from "./values.js";

/** The arguments of a call, a filter or a test. */
export interface CallArguments {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [string, Expression])[];
  /** `*list` and `**map`. */
  readonly list?: Expression;
  readonly map?: Expression;
}

/** `from:to:step` between brackets; any part may be missing. */
export interface Slice {
  readonly kind: "slice";
  readonly start?: Expression;
  readonly stop?: Expression;
  readonly step?: Expression;
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";
export type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

interface Placed {
  /** Line of the template, from 1. */
  readonly line: number;
}

export type Expression = Placed &
  (
    | { readonly kind: "constant"; readonly value: Value }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "tuple" | "list" | "concat"; readonly items: readonly Expression[] }
    | { readonly kind: "dict"; readonly entries: readonly (readonly [Expression, Expression])[] }
    | { readonly kind: "not" | "negate" | "plus"; readonly operand: Expression }
    | {
        readonly kind: "binary";
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
    | {
        readonly kind: "compare";
        readonly first: Expression;
        readonly rest: readonly {
          readonly operator: CompareOperator;
          readonly operand: Expression;
        }[];
      }
    | {
        readonly kind: "conditional";
        readonly test: Expression;
        readonly value: Expression;
        readonly otherwise?: Expression;
      }
    | { readonly kind: "attribute"; readonly object: Expression; readonly name: string }
    | { readonly kind: "item"; readonly object: Expression; readonly index: Expression | Slice }
    | { readonly kind: "call"; readonly callee: Expression; readonly arguments: CallArguments }
    | {
        readonly kind: "filter" | "test";
        readonly name: string;
        readonly operand: Expression;
        readonly arguments: CallArguments;
      }
  );

/** The target of an assignment. */
export type Target =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "attribute"; readonly object: string; readonly name: string }
  | { readonly kind: "tuple"; readonly items: readonly Target[] };

/** A parameter of a macro or of a call block. */
export interface Parameter {
  readonly name: string;
  readonly fallback?: Expression;
}

/** A macro, or the body of a call block. */
export interface MacroParts {
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
  /** Which of `varargs`, `kwargs` and `caller` it uses: what it accepts besides its parameters. */
  readonly extras: ReadonlySet<string>;
}

/** The name of a block's text in the filters of `filter` and `set` blocks. */
export const BLOCK_TEXT = "(the block's text)";

export type Statement = Placed &
  (
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "print"; readonly expression: Expression }
    | {
        readonly kind: "if";
        readonly branches: readonly {
          readonly test: Expression;
          readonly body: readonly Statement[];
        }[];
        readonly otherwise: readonly Statement[];
      }
    | {
        readonly kind: "for";
        readonly target: Target;
        readonly iterable: Expression;
        readonly test?: Expression;
        readonly isRecursive: boolean;
        readonly body: readonly Statement[];
        readonly otherwise: readonly Statement[];
      }
    | { readonly kind: "set"; readonly target: Target; readonly value: Expression }
    | {
        readonly kind: "set block";
        readonly target: Target;
        /** Of the name BLOCK_TEXT. */
        readonly value: Expression;
        readonly body: readonly Statement[];
      }
    | {
        readonly kind: "with";
        readonly bindings: readonly { readonly target: Target; readonly value: Expression }[];
        readonly body: readonly Statement[];
      }
    | {
        readonly kind: "filter block";
        /** Of the name BLOCK_TEXT. */
        readonly value: Expression;
        readonly body: readonly Statement[];
      }
    | ({ readonly kind: "macro"; readonly name: string } & MacroParts)
    | ({
        readonly kind: "call block";
        readonly call: Expression & { readonly kind: "call" };
      } & MacroParts)
    | { readonly kind: "break" | "continue" }
  );
