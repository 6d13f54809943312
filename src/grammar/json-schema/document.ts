/** A schema's document: a copy of plain JSON, its parts by pointer, anchor and $id. */
import { kindOf } from "../../describe.js";
import { invalidArgument, reasonOf } from "../../errors.js";
import { parseUrl } from "../../globals.js";
import { refuse, wrongValue } from "./node.js";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A part of the document: what `$id` gives a name, or the document itself. */
export interface Resource {
  readonly uri: string;
  readonly root: unknown;
  readonly place: string;
  readonly anchors: Map<string, Located>;
}

/** A schema and where it stands. */
export interface Located {
  readonly schema: unknown;
  readonly place: string;
  readonly resource: Resource;
}

const MOST_CHARACTERS = 4_000_000;
const MOST_DEPTH = 400;

/** What relative references are resolved against if the document has no $id. */
const NO_URI = "json-schema:///";

/** Where schemas lie within a schema: directly, in a list, or in an object by name. */
const SINGLE = [
  ...["additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else"],
  ...["unevaluatedProperties", "unevaluatedItems", "contentSchema"],
];
const LISTS = ["allOf", "anyOf", "oneOf", "prefixItems"];
const MAPS = [
  ...["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"],
  "dependencies",
];

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A part of a pointer, as RFC 6901 escapes it. */
export const pointerPart = (name: string | number): string =>
  `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** A copy that holds nothing but JSON, so that no getter is called again. */
export function copyJson(schema: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(schema);
  } catch (cause) {
    throw invalidArgument("responseFormat", "a schema that JSON can hold", reasonOf(cause), {
      cause,
    });
  }
  if (text === undefined) {
    throw invalidArgument("responseFormat", "a schema that JSON can hold", kindOf(schema));
  }
  const expected = `a schema of at most ${MOST_CHARACTERS} characters`;
  if (text.length > MOST_CHARACTERS) {
    throw invalidArgument("responseFormat", expected, String(text.length));
  }
  const copy: unknown = JSON.parse(text);
  checkDepth(copy);
  return copy;
}

function checkDepth(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_DEPTH) {
      const expected = `a schema of at most ${MOST_DEPTH} levels`;
      throw invalidArgument("responseFormat", expected, "a deeper one");
    }
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each !== "object" || each === null) continue;
      for (const child of Object.values(each)) next.push(child);
    }
    level = next;
  }
}

export class SchemaDocument {
  readonly root: Located;
  readonly #resources = new Map<string, Resource>();
  /** The resource of each object that is a schema. */
  readonly #owners = new Map<JsonObject, Resource>();
  /** How often a dynamic anchor of a name was found. */
  readonly #dynamic = new Map<string, number>();

  constructor(schema: unknown) {
    const copy = copyJson(schema);
    const resource = this.#addResource(NO_URI, copy, "#");
    this.root = { schema: copy, place: "#", resource };
    this.#index(this.root);
  }

  #addResource(uri: string, root: unknown, place: string): Resource {
    const resource = { uri, root, place, anchors: new Map<string, Located>() };
    this.#resources.set(uri, resource);
    return resource;
  }

  /** Finds the resources and anchors in a schema. */
  #index(start: Located): void {
    const open = [start];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (!isObject(next.schema) || this.#owners.has(next.schema)) continue;
      const resource = this.#enter(next.schema, next);
      for (const { schema, place } of subschemas(next.schema, next.place)) {
        open.push({ schema, place, resource });
      }
    }
  }

  /** Notes a schema's own names; returns the resource that it belongs to. */
  #enter(schema: JsonObject, { place, resource: outer }: Located): Resource {
    const { $id } = schema;
    let resource = outer;
    if ($id !== undefined) {
      const uri = typeof $id === "string" ? absolute($id, outer.uri) : undefined;
      if (uri === undefined || uri.includes("#")) throw wrongValue("$id", place, "a URI", $id);
      resource = this.#addResource(uri, schema, place);
    }
    this.#owners.set(schema, resource);
    for (const keyword of ["$anchor", "$dynamicAnchor"]) {
      const name = schema[keyword];
      if (name === undefined) continue;
      if (typeof name !== "string") throw wrongValue(keyword, place, "a name", name);
      resource.anchors.set(name, { schema, place, resource });
      if (keyword === "$dynamicAnchor") this.#dynamic.set(name, (this.#dynamic.get(name) ?? 0) + 1);
    }
    return resource;
  }

  /** The resource of a schema, for what is found in it. */
  resourceOf(schema: JsonObject, fallback: Resource): Resource {
    return this.#owners.get(schema) ?? fallback;
  }

  /** What `$ref` or `$dynamicRef` of a schema refers to. */
  resolve(keyword: string, value: unknown, { place, resource }: Located): Located {
    if (typeof value !== "string") throw wrongValue(keyword, place, "a URI", value);
    const hash = value.indexOf("#");
    const address = hash < 0 ? value : value.slice(0, hash);
    const fragment = hash < 0 ? "" : value.slice(hash + 1);
    const uri = address === "" ? resource.uri : absolute(address, resource.uri);
    const target = this.#resources.get(uri ?? "");
    const found = target && this.#fragment(target, fragment);
    if (found === undefined) {
      throw wrongValue(keyword, place, "a reference to a schema in the same document", value);
    }
    // With one anchor of the name, there is nothing for the dynamic scope to choose from.
    if (keyword === "$dynamicRef" && (this.#dynamic.get(fragment) ?? 0) > 1) {
      throw refuse(keyword, place, value);
    }
    this.#index(found);
    return found;
  }

  #fragment(target: Resource, fragment: string): Located | undefined {
    if (fragment !== "" && !fragment.startsWith("/")) return target.anchors.get(fragment);
    let pointer: string;
    try {
      pointer = decodeURIComponent(fragment);
    } catch {
      return undefined;
    }
    let { root: schema, place } = target;
    let resource = target;
    for (const escaped of pointer.split("/").slice(1)) {
      const name = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof schema !== "object" || schema === null) return undefined;
      if (!Object.hasOwn(schema, name)) return undefined;
      schema = (schema as JsonObject)[name];
      place += pointerPart(name);
      if (isObject(schema)) resource = this.resourceOf(schema, resource);
    }
    return { schema, place, resource };
  }
}

/** The absolute form of a reference; undefined if it is none. */
function absolute(reference: string, base: string): string | undefined {
  try {
    return parseUrl(reference.replace(/#$/, ""), base).href;
  } catch {
    return undefined;
  }
}

/** The schemas directly within a schema. */
function* subschemas(
  schema: JsonObject,
  place: string,
): Generator<{ readonly schema: unknown; readonly place: string }> {
  const at = (keyword: string): string => place + pointerPart(keyword);
  for (const keyword of SINGLE) {
    if (Object.hasOwn(schema, keyword)) yield { schema: schema[keyword], place: at(keyword) };
  }
  for (const keyword of [...LISTS, ...MAPS]) {
    const children = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
    if (typeof children !== "object" || children === null) continue;
    for (const [name, child] of Object.entries(children)) {
      yield { schema: child, place: at(keyword) + pointerPart(name) };
    }
  }
}
