/** The state that the parts of a rendering share. */
import type { Bound } from "./arguments.js";
import type { Limits } from "./limits.js";
import type { Arguments, Value } from "./values.js";

export interface Runtime {
  readonly limits: Limits;
  /** The clock of `strftime_now`. */
  readonly now: () => Date;
  /** `value | name(...)`. Fails for an unknown name. */
  filter(name: string, value: Value, args: Arguments): Value;
  /** `value is name(...)`. Fails for an unknown name. */
  test(name: string, value: Value, args: Arguments): boolean;
}

/** A filter: its parameters after the value, as `bind` reads them, and what it does. */
export interface Filter {
  readonly parameters: string;
  readonly run: (runtime: Runtime, value: Value, args: Bound) => Value;
}

/** A filter or test that reads its arguments itself. */
export type RawFilter = (runtime: Runtime, value: Value, args: Arguments) => Value;
