/** Reads schemas: what each keyword demands, checked as it is read. */
import { isObject, type JsonObject, type Located, SchemaDocument } from "./document.js";
import { Keywords, type NodeReader } from "./keywords.js";
import { negate } from "./negate.js";
import { ANYTHING, type Choice, NEVER, type Rules, SchemaNode, wrongValue } from "./node.js";
import { readArrays } from "./read-arrays.js";
import { readObjects } from "./read-objects.js";
import { readScalars } from "./read-scalars.js";
import { readUnevaluated } from "./unevaluated.js";

export class SchemaReader implements NodeReader {
  readonly document: SchemaDocument;
  readonly #nodes = new Map<JsonObject, SchemaNode>();

  constructor(schema: unknown) {
    this.document = new SchemaDocument(schema);
  }

  root(): SchemaNode {
    return this.node("schema", this.document.root, "#");
  }

  /** The node of a schema that a keyword holds. */
  node(keyword: string, located: Located, place: string): SchemaNode {
    const { schema } = located;
    if (schema === true) return ANYTHING;
    if (schema === false) return NEVER;
    if (!isObject(schema)) {
      throw wrongValue(keyword, place, "a schema, an object or a boolean,", schema);
    }
    const known = this.#nodes.get(schema);
    if (known !== undefined) return known;
    const resource = this.document.resourceOf(schema, located.resource);
    const keywords = new Keywords(schema, { ...located, resource }, this);
    const node = new SchemaNode(located.place, () => readRules(keywords));
    this.#nodes.set(schema, node);
    return node;
  }
}

function readRules(keywords: Keywords): Rules {
  const objects = readObjects(keywords);
  const references = ["$ref", "$dynamicRef"].flatMap((name) => keywords.reference(name) ?? []);
  const not = keywords.schema("not");
  const all = [...references, ...(keywords.schemas("allOf") ?? [])];
  const choices = [...readChoices(keywords), ...objects.choices];
  return {
    ...readScalars(keywords),
    objects: [...objects.rules, ...readUnevaluated(keywords, objects.own, all, choices)],
    arrays: readArrays(keywords),
    all: not === undefined ? all : [...all, negate(not)],
    choices,
  };
}

function readChoices(keywords: Keywords): Choice[] {
  const { place } = keywords;
  const choices: Choice[] = [];
  const add = (keyword: string, options: SchemaNode[][], isExclusive = false): void => {
    choices.push({ keyword, place, isExclusive, options });
  };
  const any = keywords.schemas("anyOf");
  if (any !== undefined)
    add(
      "anyOf",
      any.map((node) => [node]),
    );
  const one = keywords.schemas("oneOf");
  if (one !== undefined)
    add(
      "oneOf",
      one.map((node) => [node]),
      true,
    );
  const [condition, then, otherwise] = ["if", "then", "else"].map((each) => keywords.schema(each));
  if (condition !== undefined && (then ?? otherwise) !== undefined) {
    add("if", [
      [condition, then ?? ANYTHING],
      [negate(condition), otherwise ?? ANYTHING],
    ]);
  }
  return choices;
}
