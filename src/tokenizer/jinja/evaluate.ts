/** Evaluates expressions. */
import { getAttribute, getItem } from "./access.js";
import { compare } from "./compare.js";
import { fail, TemplateFailure } from "./failure.js";
import { sliceOf } from "./items.js";
import { calculate, signed } from "./operators.js";
import { toText } from "./print.js";
import type { Runtime } from "./runtime.js";
import type { Scope } from "./scope.js";
import type { CallArguments, Expression, Slice } from "./syntax.js";
import {
  type Arguments,
  Callable,
  Dict,
  Fields,
  isTrue,
  iterate,
  Tuple,
  typeOf,
  Undefined,
  type Value,
} from "./values.js";

/** The value of an expression in a scope. Fails where Python raises, with the line. */
export function evaluate(expression: Expression, scope: Scope, runtime: Runtime): Value {
  const { limits } = runtime;
  limits.enter();
  try {
    return evaluateKind(expression, scope, runtime);
  } catch (error) {
    if (error instanceof TemplateFailure) error.line ??= expression.line;
    throw error;
  } finally {
    limits.leave();
  }
}

function evaluateKind(expression: Expression, scope: Scope, runtime: Runtime): Value {
  const { limits } = runtime;
  const value = (part: Expression): Value => evaluate(part, scope, runtime);
  switch (expression.kind) {
    case "constant":
      return expression.value;
    case "name":
      return lookUp(expression.name, scope);
    case "list":
      return expression.items.map(value);
    case "tuple":
      return new Tuple(expression.items.map(value));
    case "dict":
      return new Dict(expression.entries.map(([key, item]) => [value(key), value(item)]));
    case "concat":
      return limits.text(expression.items.map((item) => toText(value(item), limits)).join(""));
    case "not":
      return !isTrue(value(expression.operand));
    case "negate":
    case "plus":
      return signed(value(expression.operand), expression.kind === "negate");
    case "binary":
      return calculate(
        expression.operator,
        value(expression.left),
        value(expression.right),
        limits,
      );
    case "and": {
      const left = value(expression.left);
      return isTrue(left) ? value(expression.right) : left;
    }
    case "or": {
      const left = value(expression.left);
      return isTrue(left) ? left : value(expression.right);
    }
    case "compare": {
      let left = value(expression.first);
      return expression.rest.every(({ operator, operand }) => {
        const right = value(operand);
        const holds = compare(operator, left, right, limits);
        left = right;
        return holds;
      });
    }
    case "conditional": {
      if (isTrue(value(expression.test))) return value(expression.value);
      if (expression.otherwise !== undefined) return value(expression.otherwise);
      return new Undefined("the condition is false and has no else");
    }
    case "attribute":
      return getAttribute(value(expression.object), expression.name, limits);
    case "item": {
      const object = value(expression.object);
      const { index } = expression;
      if (index.kind !== "slice") return getItem(object, value(index), limits);
      return sliceOf(object, boundsOf(index, value), limits);
    }
    case "call": {
      const callee = value(expression.callee);
      return call(callee, argumentsOf(expression.arguments, value));
    }
    case "filter": {
      const operand = value(expression.operand);
      return runtime.filter(expression.name, operand, argumentsOf(expression.arguments, value));
    }
    case "test": {
      const operand = value(expression.operand);
      return runtime.test(expression.name, operand, argumentsOf(expression.arguments, value));
    }
  }
}

function lookUp(name: string, scope: Scope): Value {
  const found = scope.get(name);
  return found === undefined ? new Undefined(`'${name}' is undefined`) : found;
}

type Evaluate = (expression: Expression) => Value;

function boundsOf({ start, stop, step }: Slice, value: Evaluate) {
  return {
    start: start && value(start),
    stop: stop && value(stop),
    step: step && value(step),
  };
}

/** The arguments of a call, with those that `*list` and `**map` add. */
export function argumentsOf(
  { positional, named, list, map }: CallArguments,
  value: Evaluate,
): Arguments {
  const values = positional.map(value);
  const names = new Map(named.map(([name, expression]) => [name, value(expression)]));
  if (list !== undefined) values.push(...iterate(value(list)));
  if (map !== undefined) {
    const mapping = value(map);
    if (!(mapping instanceof Dict)) fail(`expected a mapping after **, got ${typeOf(mapping)}`);
    for (const [name, item] of mapping.entries()) {
      if (typeof name !== "string") fail(`expected names in the mapping after **`);
      names.set(name, item);
    }
  }
  return { positional: values, named: names };
}

/** `callee(...)`. Fails if it cannot be called. */
export function call(callee: Value, args: Arguments): Value {
  if (callee instanceof Callable) return callee.call(args);
  if (callee instanceof Fields && callee.call !== undefined) return callee.call(args);
  return fail(callee instanceof Undefined ? callee.reason : `a ${typeOf(callee)} cannot be called`);
}
