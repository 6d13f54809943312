/** Templates against Jinja2's results of the same cases (scripts/render-jinja.py). */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { renderTemplate, TemplateFailure } from "../../src/tokenizer/jinja/template.js";
import { hasShared, readShared } from "./support/qwen2.js";

const FOLDER = "test/tokenizer/jinja";
type Variables = Record<string, unknown>;

/** A case of the files: a template or a model's, and Jinja2's result. */
interface Case {
  template?: string;
  model?: string;
  conversation?: string;
  /** Arguments of Date. */
  now?: [number, number];
  text?: string;
  error?: true;
}

interface Cases {
  variables: Variables;
  conversations?: Record<string, Variables>;
  cases: Case[];
}

const readCases = (name: string): Cases =>
  JSON.parse(readFileSync(`${FOLDER}/${name}.json`, "utf8"));

const NOW = (): Date => new Date(2026, 6, 4);
const render = (template: string, variables: Variables = {}, now = NOW): string =>
  renderTemplate(template, variables, now);

/** The message of the failure; fails if there is none, or another error. */
function failure(template: string, variables?: Variables): string {
  try {
    render(template, variables);
  } catch (error) {
    assert.instance(error, TemplateFailure, `${template}: ${(error as Error).stack}`);
    const { line, message } = error as TemplateFailure;
    return `${line ?? "no line"}: ${message}`;
  }
  return assert.unreachable(`${template} did not fail`) as never;
}

/** Fails unless a case renders, or fails, as it did in Python. */
function check({ text, error, now }: Case, template: string, variables: Variables): void {
  if (error) failure(template, variables);
  else {
    const clock = (): Date => (now === undefined ? NOW() : new Date(...now));
    assert.is(render(template, variables, clock), text, template);
  }
}

test("every construct gives what Jinja2 gives, and fails where it raises", () => {
  const { variables, cases } = readCases("constructs");
  assert.ok(cases.length > 500);
  for (const item of cases) check(item, item.template!, variables);
});

test("the templates of well-known models give what Jinja2 gives, whatever their line ends", () => {
  const { variables, conversations, cases } = readCases("models");
  assert.ok(new Set(cases.map(({ model }) => model)).size > 20);
  for (const item of cases) {
    const template = readFileSync(`${FOLDER}/models/${item.model}.jinja`, "utf8");
    const all = { ...variables, ...conversations![item.conversation!] };
    check(item, template, all);
    check(item, template.replaceAll("\n", "\r\n"), all);
  }
});

test("a refusal names the construct and its line", () => {
  for (const [template, expected] of [
    ["\n\n{% include 'x' %}", "3: the statement {% include %} is not supported"],
    ["{% trans %}", "1: unknown statement {% trans %}"],
    ["a\n{{ 'a' | urlize }}", '2: the filter "urlize" is unknown or not supported'],
    ["{{ 1 is prime }}", '1: the test "prime" is unknown or not supported'],
    ["{{ 'a'.encode() }}", "1: the method encode of str is not supported"],
    ["{{ xs.append(1) }}", "1: the method append of list is not allowed: it changes the object"],
    ["{{ lipsum() }}", "1: 'lipsum' is undefined"],
    ["\n{{ missing.name }}", "2: 'missing' is undefined"],
    ["{{ {}.a.b }}", "1: 'dict object' has no attribute 'a'"],
    ["{{ 'a' + 1 }}", "1: cannot compute str + int"],
    ["{{ '%y' % 1 }}", '1: %: the format character "y" is not supported'],
    ["{{ '{:z}'.format(1) }}", '1: format: the specification "z" is not supported'],
    ["{{ strftime_now('%Q') }}", '1: strftime_now: the code "%Q" is not supported'],
    [
      "{{ print }}{{ range }}",
      "1: expected a value with a text of its own to print, got a function",
    ],
    ["{% if true %}\n", "1: expected {% endif %} for {% if %} of line 1, found none"],
    ["\n{{ [\n1,\n2", "2: expected ], the template ends"],
    ["{{ [1 }}", "1: expected ], got }"],
    ["{{ a b }}", '1: expected }}, got "b"'],
    ["{{ ? }}", '1: unexpected "?"'],
    [
      "{% for x in xs %}{{ x }}\n{% macro m() %}{% break %}{% endmacro %}{{ m() }}{% endfor %}",
      "2: ",
    ],
  ]) {
    const got = failure(template, { xs: [1] });
    assert.ok(got.startsWith(expected), `${template}: expected ${expected}, got ${got}`);
  }
});

test("a hostile template is refused in bounded time and depth", () => {
  const nested = (open: string, close: string): string =>
    open.repeat(100_000) + close.repeat(100_000);
  for (const [template, expected] of [
    ["{{ range(10 ** 9) }}", "range: expected at most 100000 elements, got 1000000000"],
    ["{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "steps"],
    ["{{ 'a' * 10 ** 9 }}", "expected at most 4194304 characters, got 1000000000"],
    ["{{ '' * 10 ** 999 }}", "characters"],
    ["{{ '%c' % (10 ** 9) }}", "expected a code point up to 0x10ffff"],
    ["{{ [0] * 10 ** 9 }}", "expected at most 4194304 elements, got 1000000000"],
    ["{{ 'a'.ljust(10 ** 9) }}{{ 1 }}", "characters"],
    ["{{ '%1000000000d' % 1 }}", "characters"],
    ["{{ '{:1000000000}'.format(1) }}", "characters"],
    ["{{ '\t'.expandtabs(10 ** 9) }}", "characters"],
    ["{{ 'a' | center(10 ** 9) }}", "characters"],
    ["{{ 'a\nb' | indent(10 ** 9) }}", "characters"],
    ["{{ [1] | tojson(indent=10 ** 9) }}", "characters"],
    ["{{ 'a' | batch(10 ** 9, 'x') | list }}", "elements"],
    ["{{ 'a' | slice(10 ** 9) | list }}", "elements"],
    ["{{ ('a' * 2 ** 20).replace('a', 'a' * 2 ** 20) }}", "characters"],
    ["{{ 'b'.join(['a' * 2 ** 20] * 2 ** 10) }}", "characters"],
    [`{{ 1${"0".repeat(9999)} }}`, "expected an integer of at most 4300 digits"],
    [
      "{% set d = dict(range(99999) | batch(3) | map('batch', 2) | map('first')) %}" +
        "{% for i in range(99999) %}{% if d.items() | length %}{% endif %}{% endfor %}",
      "steps",
    ],
    [
      "{% for i in range(99999) %}{{ 1 in range(9999) }}{{ range(9999)[1:] | first }}{% endfor %}",
      "steps",
    ],
    [
      "{% set s = 'a' * 2 ** 20 ~ ' b' %}{% for i in range(99999) %}" +
        "{{ s.rsplit(none, 1) | last }}{% endfor %}",
      "steps",
    ],
    [
      "{% set ns = namespace(x=1) %}{% for i in range(99) %}{% set ns.x = (ns.x, ns.x) %}" +
        "{% endfor %}{{ {ns.x: 1} }}",
      "expected a key of at most 1000 values",
    ],
    ["{{ 9 ** (10 ** 9) }}", "expected integers of at most 4096 bits"],
    ["{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "levels of nesting"],
    [nested("{{ ", " }}"), ""],
    [`{{ ${nested("(", ")")} }}`, "levels of nesting"],
    [`{{ ${nested("[", "]")} }}`, "levels of nesting"],
    [`{{ ${"not ".repeat(100_000)}1 }}`, "levels of nesting"],
    [`{{ ${"-".repeat(100_000)}1 }}`, "levels of nesting"],
    [`{{ 1${" + 1".repeat(100_000)} }}`, "levels of nesting"],
    [`{{ a${".a".repeat(100_000)} }}`, ""],
    [nested("{% if 1 %}", "{% endif %}"), "levels of nesting"],
    [
      "{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}" +
        "{% endfor %}{{ ns.x }}",
      "levels of nesting",
    ],
    [
      "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}" +
        "{% endfor %}{{ ns.x == ns.x }}{{ ns.x }}",
      "",
    ],
    [
      "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}" +
        "{% endfor %}",
      "characters",
    ],
  ]) {
    const got = failure(template);
    assert.ok(got.includes(expected), `${template.slice(0, 80)}: got ${got}`);
  }
});

test("long conversations are far from the bounds", () => {
  const content = "word ".repeat(2000);
  const messages = Array.from({ length: 400 }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content,
  }));
  const template = readFileSync(`${FOLDER}/models/qwen3.jinja`, "utf8");
  assert.ok(render(template, { messages }).length > 400 * content.length);
});

test("values are those of Python's json.loads, of any realm", () => {
  const map = new Map<unknown, unknown>([
    ["2", 1],
    ["1", [null, undefined, 2.5]],
  ]);
  assert.is(render("{{ x }}", { x: map }), "{'2': 1, '1': [None, None, 2.5]}");
  assert.is(
    render("{{ x }}", { x: { a: undefined, b: 2 ** 53, c: 10n } }),
    "{'b': 9007199254740992.0, 'c': 10}",
  );
  const holes = new Array(1).concat(1);
  assert.is(render("{{ x }} {{ x[0] is none }}", { x: holes }), "[None, 1] True");
  const bare = Object.assign(Object.create(null), { a: 1 });
  assert.is(render("{{ x is mapping }} {{ x.a }}", { x: bare }), "True 1");
  const loop: unknown[] = [];
  loop.push(loop);
  for (const [x, expected] of [
    [() => 1, "x: expected what JSON can hold, got a function"],
    [{ d: new Date(0) }, "x.d: expected what JSON can hold, got Date"],
    [[new Set()], "x[0]: expected what JSON can hold, got Set"],
    [Symbol("s"), "x: expected what JSON can hold, got Symbol"],
    [loop, `x${"[0]".repeat(27).slice(0, 79)}...: expected at most 100 levels of nesting`],
    [{ ["k".repeat(999)]: () => 1 }, `x.${"k".repeat(78)}...: expected what JSON can hold`],
  ] as const) {
    assert.ok(failure("", { x }).includes(expected), expected);
  }
});

if (hasShared("chat-templates")) {
  test("other projects' tests of Jinja, where Jinja2 agrees", () => {
    let count = 0;
    for (const item of JSON.parse(readShared("chat-templates/jinja-unit-vectors.json"))) {
      if (!item.python_jinja2_equal) continue;
      assert.is(render(item.template, item.context), item.expected, item.name);
      count++;
    }
    for (const item of JSON.parse(readShared("chat-templates/jinja-e2e-vectors.json"))) {
      if (!item.python_jinja2_equal) continue;
      assert.is(render(item.chat_template, item.data), item.target, item.name);
      count++;
    }
    assert.is(count, 98 + 50);
  });
}

test.run();
