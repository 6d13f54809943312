/** Jinja's filters by name. */
import { bind } from "./arguments.js";
import { fail } from "./failure.js";
import { formatPercent } from "./percent-format.js";
import { holds, isPredicate } from "./predicates.js";
import { toText } from "./print.js";
import type { Filter, RawFilter, Runtime } from "./runtime.js";
import { CHOOSING_FILTERS, SEQUENCE_FILTERS } from "./sequence-filters.js";
import { TEXT_FILTERS } from "./text-filters.js";
import { Dict, Tuple, type Value } from "./values.js";

/** `value | format(...)`: the value is a format for `%`. */
const format: RawFilter = ({ limits }, value, { positional, named }) => {
  if (positional.length > 0 && named.size > 0) {
    fail("format: expected positional or named arguments, got both");
  }
  const values: Value = named.size > 0 ? new Dict(named) : new Tuple(positional);
  return formatPercent(toText(value, limits), values, limits);
};

const RAW_FILTERS: ReadonlyMap<string, RawFilter> = new Map([
  ...CHOOSING_FILTERS,
  ["format", format],
]);
const FILTERS: ReadonlyMap<string, Filter> = new Map([...TEXT_FILTERS, ...SEQUENCE_FILTERS]);

/** The filters and tests of a template with these bounds and this clock. */
export function createRuntime(limits: Runtime["limits"], now: Runtime["now"]): Runtime {
  const runtime: Runtime = {
    limits,
    now,
    filter(name, value, args) {
      limits.read(value);
      const raw = RAW_FILTERS.get(name);
      if (raw !== undefined) return raw(runtime, value, args);
      const filter = FILTERS.get(name);
      if (filter === undefined) return fail(`the filter "${name}" is unknown or not supported`);
      return filter.run(runtime, value, bind(name, filter.parameters, args));
    },
    test(name, value, args) {
      if (name === "filter" || name === "test") {
        const known = name === "test" ? isPredicate : isFilter;
        return typeof value === "string" && known(value);
      }
      return holds(name, value, args, limits);
    },
  };
  return runtime;
}

const isFilter = (name: string): boolean => FILTERS.has(name) || RAW_FILTERS.has(name);
