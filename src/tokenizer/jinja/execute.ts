/** Executes statements and collects what they print. */

import { argumentsOf, call, evaluate } from "./evaluate.js";
import { fail, TemplateFailure } from "./failure.js";
import { createLoop, type LoopState } from "./loop.js";
import { toText } from "./print.js";
import type { Runtime } from "./runtime.js";
import { Scope } from "./scope.js";
import {
  BLOCK_TEXT,
  type Expression,
  type MacroParts,
  type Statement,
  type Target,
} from "./syntax.js";
import {
  type Arguments,
  Callable,
  Dict,
  isTrue,
  iterate,
  Namespace,
  Tuple,
  Undefined,
  type Value,
} from "./values.js";

/** How a body ended: undefined if it reached its end. */
type Ending = "break" | "continue" | undefined;

type Loop = Statement & { readonly kind: "for" };

/** A rendering: its output, and what its parts share. */
export class Execution {
  readonly #runtime: Runtime;
  #out: string[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The text that a body prints. */
  render(body: readonly Statement[], scope: Scope): string {
    return this.#capture(() => this.#runAll(body, scope));
  }

  /** Captures what `run` prints. */
  #capture(run: () => Ending): string {
    const outer = this.#out;
    this.#out = [];
    const ending = run();
    if (ending !== undefined) fail(`expected a loop around {% ${ending} %}`);
    const text = this.#out.join("");
    this.#out = outer;
    return this.#runtime.limits.text(text);
  }

  #print(text: string): void {
    this.#runtime.limits.step();
    if (text !== "") this.#out.push(text);
  }

  #value(expression: Expression, scope: Scope): Value {
    return evaluate(expression, scope, this.#runtime);
  }

  #runAll(body: readonly Statement[], scope: Scope): Ending {
    const { limits } = this.#runtime;
    limits.enter();
    let ending: Ending;
    for (const statement of body) {
      ending = this.#run(statement, scope);
      if (ending !== undefined) break;
    }
    limits.leave();
    return ending;
  }

  #run(statement: Statement, scope: Scope): Ending {
    try {
      return this.#runKind(statement, scope);
    } catch (error) {
      if (error instanceof TemplateFailure) error.line ??= statement.line;
      throw error;
    }
  }

  #runKind(statement: Statement, scope: Scope): Ending {
    const { limits } = this.#runtime;
    switch (statement.kind) {
      case "text":
        this.#print(statement.text);
        return undefined;
      case "print":
        this.#print(limits.text(toText(this.#value(statement.expression, scope), limits)));
        return undefined;
      case "break":
      case "continue":
        return statement.kind;
      case "if": {
        const branch = statement.branches.find(({ test }) => isTrue(this.#value(test, scope)));
        return this.#runAll(branch?.body ?? statement.otherwise, scope);
      }
      case "for":
        return this.#iterate(statement, scope, this.#value(statement.iterable, scope), 0);
      case "set":
        this.#assign(statement.target, this.#value(statement.value, scope), scope);
        return undefined;
      case "set block":
        this.#assign(statement.target, this.#filtered(statement, scope), scope);
        return undefined;
      case "filter block":
        this.#print(toText(this.#filtered(statement, scope), limits));
        return undefined;
      case "with": {
        const inner = new Scope(scope);
        for (const { target, value } of statement.bindings) {
          this.#assign(target, this.#value(value, scope), inner);
        }
        return this.#runAll(statement.body, inner);
      }
      case "macro":
        scope.set(statement.name, this.#createMacro(statement, statement.name, scope));
        return undefined;
      case "call block": {
        const caller = this.#createMacro(statement, "caller", scope);
        const { positional, named } = argumentsOf(statement.call.arguments, (argument) =>
          this.#value(argument, scope),
        );
        const callee = this.#value(statement.call.callee, scope);
        const args = { positional, named: new Map([...named, ["caller", caller]]) };
        this.#print(toText(call(callee, args as Arguments), limits));
        return undefined;
      }
    }
  }

  /** The text of a block with its filters applied. */
  #filtered(block: { value: Expression; body: readonly Statement[] }, scope: Scope): Value {
    const text = this.#capture(() => this.#runAll(block.body, new Scope(scope)));
    return this.#value(block.value, new Scope(scope, [[BLOCK_TEXT, text]]));
  }

  #iterate(loop: Loop, scope: Scope, iterable: Value, depth: number): Ending {
    const { limits } = this.#runtime;
    const items = this.#chosen(loop, scope, iterable);
    limits.reserve(items.length, "elements");
    const state: LoopState = { items, index: 0, depth, changed: undefined };
    const recurse = ({ positional }: Arguments): Value =>
      this.#capture(() => this.#iterate(loop, scope, positional[0] ?? null, depth + 1));
    const variable = createLoop(state, limits, loop.isRecursive ? recurse : undefined);
    for (; state.index < items.length; state.index++) {
      const inner = new Scope(scope, [["loop", variable]]);
      this.#assign(loop.target, items[state.index], inner);
      if (this.#runAll(loop.body, inner) === "break") break;
    }
    return items.length === 0 ? this.#runAll(loop.otherwise, new Scope(scope)) : undefined;
  }

  /** The items of a loop that pass its test. */
  #chosen({ target, test }: Loop, scope: Scope, iterable: Value): readonly Value[] {
    const items = iterate(iterable);
    if (test === undefined) return items;
    return items.filter((item) => {
      const inner = new Scope(scope);
      this.#assign(target, item, inner);
      return isTrue(this.#value(test, inner));
    });
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === "name") scope.set(target.name, value);
    else if (target.kind === "attribute") {
      const namespace = scope.get(target.object);
      if (!(namespace instanceof Namespace)) {
        fail(`set: expected a namespace in "${target.object}" to set its ${target.name}`);
      }
      namespace.fields.set(target.name, value);
    } else {
      const items = iterate(value);
      if (items.length !== target.items.length) {
        fail(`expected ${target.items.length} values to unpack, got ${items.length}`);
      }
      target.items.forEach((part, i) => {
        this.#assign(part, items[i], scope);
      });
    }
  }

  #createMacro(macro: MacroParts, name: string, scope: Scope): Callable {
    const invoke = (args: Arguments): Value => {
      const inner = new Scope(scope);
      this.#bindParameters(macro, name, args, inner);
      return this.#capture(() => this.#runAll(macro.body, inner));
    };
    const names = new Tuple(macro.parameters.map((parameter) => parameter.name));
    const fields: [string, Value][] = [
      ["name", name],
      ["arguments", names],
    ];
    return new Callable(name, invoke, new Map(fields));
  }

  /** Sets a macro's arguments in its scope. Fails for arguments that it does not take. */
  #bindParameters(
    { parameters, extras }: MacroParts,
    macro: string,
    { positional, named }: Arguments,
    scope: Scope,
  ): void {
    const rest = new Map(named);
    parameters.forEach(({ name, fallback }, i) => {
      let value = positional[i];
      if (rest.has(name)) {
        if (value !== undefined) fail(`${macro}: got the argument "${name}" twice`);
        value = rest.get(name)!;
        rest.delete(name);
      }
      if (value === undefined) {
        value =
          fallback === undefined
            ? new Undefined(`parameter '${name}' was not provided`)
            : this.#value(fallback, scope);
      }
      scope.set(name, value);
    });
    if (extras.has("caller")) {
      scope.set("caller", rest.get("caller") ?? new Undefined("there is no caller"));
      rest.delete("caller");
    }
    if (extras.has("varargs")) scope.set("varargs", new Tuple(positional.slice(parameters.length)));
    else if (positional.length > parameters.length) {
      fail(`${macro}: expected at most ${parameters.length} arguments, got ${positional.length}`);
    }
    if (extras.has("kwargs")) scope.set("kwargs", new Dict(rest));
    else if (rest.size > 0) fail(`${macro}: the argument "${[...rest.keys()][0]}" is unknown`);
  }
}
