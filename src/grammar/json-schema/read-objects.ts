/** The keywords of objects. */

import type { Keywords } from "./keywords.js";
import {
  type Choice,
  type MembersRule,
  NEVER,
  nodeOf,
  OBJECT,
  type ObjectRule,
  type SchemaNode,
} from "./node.js";
import { patternRule } from "./read-scalars.js";

export function readObjects(keywords: Keywords): {
  readonly rules: ObjectRule[];
  readonly choices: Choice[];
  readonly own: MembersRule;
} {
  const rules: ObjectRule[] = [];
  const properties = keywords.schemasByName("properties");
  const patterns = Array.from(keywords.schemasByName("patternProperties"), ([pattern, node]) => ({
    keys: patternRule("patternProperties", pattern, keywords.place),
    node,
  }));
  const additional = keywords.schema("additionalProperties");
  const own: MembersRule = { kind: "members", properties, patterns, additional, isSpelled: true };
  if (keywords.has("properties") || patterns.length > 0 || additional !== undefined) {
    rules.push(own);
  }
  for (const name of keywords.names("required")) rules.push({ kind: "required", name });
  const names = keywords.schema("propertyNames");
  if (names !== undefined) rules.push({ kind: "names", node: names });
  const min = keywords.count("minProperties") ?? 0;
  const max = keywords.count("maxProperties") ?? Number.POSITIVE_INFINITY;
  if (min > 0 || max < Number.POSITIVE_INFINITY) rules.push({ kind: "count", min, max });
  return { rules, choices: dependencies(keywords), own };
}

/** `dependentRequired`, `dependentSchemas` and the older `dependencies`, which is either. */
function dependencies(keywords: Keywords): Choice[] {
  const choices: Choice[] = [];
  const add = (keyword: string, name: string, dependent: SchemaNode): void => {
    const options = [
      [withoutProperty(keywords.place, name)],
      [dependent, requiring(keywords.place, [name])],
    ];
    choices.push({ keyword, place: keywords.place, isExclusive: false, options });
  };
  for (const keyword of ["dependentRequired", "dependentSchemas", "dependencies"]) {
    for (const [name, value] of keywords.entries(keyword)) {
      const isRequired =
        keyword === "dependentRequired" || (keyword === "dependencies" && Array.isArray(value));
      const dependent = isRequired
        ? requiring(keywords.place, keywords.names(keyword, value))
        : keywords.schemaAt(keyword, name, value);
      add(keyword, name, dependent);
    }
  }
  return choices;
}

/** Objects that have properties of some names. */
export const requiring = (place: string, names: readonly string[]): SchemaNode =>
  nodeOf(place, {
    types: OBJECT,
    objects: names.map((name) => ({ kind: "required", name })),
  });

/** Anything but an object that has a property of a name. */
export const withoutProperty = (place: string, name: string): SchemaNode =>
  nodeOf(place, { objects: [membersOf(new Map([[name, NEVER]]))] });

export const membersOf = (properties: ReadonlyMap<string, SchemaNode>): MembersRule => ({
  kind: "members",
  properties,
  patterns: [],
  additional: undefined,
  isSpelled: false,
});
