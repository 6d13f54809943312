/** The keywords of a schema, with the errors of values of the wrong kind. */
import {
  isObject,
  type JsonObject,
  type Located,
  pointerPart,
  type SchemaDocument,
} from "./document.js";
import { type SchemaNode, wrongValue } from "./node.js";

/** What turns the schemas within a schema into nodes. */
export interface NodeReader {
  readonly document: SchemaDocument;
  /** The node of a schema that a keyword of the schema at `place` holds. */
  node(keyword: string, located: Located, place: string): SchemaNode;
}

/** A schema under reading: its keywords, with the errors of wrong values. */
export class Keywords {
  readonly place: string;
  readonly #schema: JsonObject;
  readonly #located: Located;
  readonly #reader: NodeReader;

  constructor(schema: JsonObject, located: Located, reader: NodeReader) {
    this.#schema = schema;
    this.#located = located;
    this.#reader = reader;
    this.place = located.place;
  }

  has(keyword: string): boolean {
    return Object.hasOwn(this.#schema, keyword);
  }

  /** The value of a keyword; undefined if it is not there. */
  get(keyword: string): unknown {
    return this.has(keyword) ? this.#schema[keyword] : undefined;
  }

  wrong(keyword: string, expected: string): Error {
    return wrongValue(keyword, this.place, expected, this.get(keyword));
  }

  /** A whole number from 0. */
  count(keyword: string): number | undefined {
    const value = this.get(keyword);
    if (value === undefined) return undefined;
    if (Number.isInteger(value) && (value as number) >= 0) return value as number;
    throw this.wrong(keyword, "a whole number from 0");
  }

  number(keyword: string): number | undefined {
    const value = this.get(keyword);
    if (value === undefined || typeof value === "number") return value;
    throw this.wrong(keyword, "a number");
  }

  schema(keyword: string): SchemaNode | undefined {
    if (!this.has(keyword)) return undefined;
    return this.#child(keyword, this.get(keyword), pointerPart(keyword));
  }

  schemas(keyword: string): readonly SchemaNode[] | undefined {
    const value = this.get(keyword);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length === 0) throw this.wrong(keyword, "a list of schemas");
    return value.map((each, i) =>
      this.#child(keyword, each, pointerPart(keyword) + pointerPart(i)),
    );
  }

  /** The entries of a keyword that holds an object. */
  entries(keyword: string): readonly (readonly [string, unknown])[] {
    const value = this.get(keyword);
    if (value === undefined) return [];
    if (!isObject(value)) throw this.wrong(keyword, "an object");
    return Object.entries(value);
  }

  schemasByName(keyword: string): ReadonlyMap<string, SchemaNode> {
    const entries = this.entries(keyword);
    return new Map(entries.map(([name, value]) => [name, this.schemaAt(keyword, name, value)]));
  }

  /** A schema by its name within a keyword. */
  schemaAt(keyword: string, name: string, value: unknown): SchemaNode {
    return this.#child(keyword, value, pointerPart(keyword) + pointerPart(name));
  }

  names(keyword: string, value: unknown = this.get(keyword)): readonly string[] {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((name) => typeof name === "string")) return value;
    throw this.wrong(keyword, "a list of property names");
  }

  /** What `$ref` or `$dynamicRef` refers to. */
  reference(keyword: string): SchemaNode | undefined {
    if (!this.has(keyword)) return undefined;
    const target = this.#reader.document.resolve(keyword, this.get(keyword), this.#located);
    return this.#reader.node(keyword, target, this.place);
  }

  #child(keyword: string, schema: unknown, path: string): SchemaNode {
    const { place, resource } = this.#located;
    return this.#reader.node(keyword, { schema, place: place + path, resource }, place);
  }
}
