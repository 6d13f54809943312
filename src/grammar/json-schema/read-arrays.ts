/** The keywords of arrays. */

import type { Keywords } from "./keywords.js";
import { ANYTHING, type ArrayRule, NEVER, refuse, type SchemaNode } from "./node.js";

export function readArrays(keywords: Keywords): ArrayRule[] {
  const rules: ArrayRule[] = [];
  const min = keywords.count("minItems") ?? 0;
  const max = keywords.count("maxItems") ?? Number.POSITIVE_INFINITY;
  if (min > 0 || max < Number.POSITIVE_INFINITY) rules.push({ kind: "count", min, max });
  const prefix = keywords.has("prefixItems") ? keywords.schemas("prefixItems")! : [];
  const rest = keywords.schema("items") ?? unevaluated(keywords);
  if (prefix.length > 0 || rest !== undefined) rules.push({ kind: "items", prefix, rest });
  const isUnique = keywords.get("uniqueItems") ?? false;
  if (typeof isUnique !== "boolean") throw keywords.wrong("uniqueItems", "a boolean");
  if (isUnique) rules.push({ kind: "unique" });
  const node = keywords.schema("contains");
  const least = keywords.count("minContains") ?? 1;
  const most = keywords.count("maxContains") ?? Number.POSITIVE_INFINITY;
  if (node !== undefined && (least > 0 || most < Number.POSITIVE_INFINITY)) {
    rules.push({ kind: "contains", node, min: least, max: most });
  }
  return rules;
}

/** `unevaluatedItems` where it means what `items` would: nothing else looks at the items. */
function unevaluated(keywords: Keywords): SchemaNode | undefined {
  const node = keywords.schema("unevaluatedItems");
  if (node === undefined || node === ANYTHING) return undefined;
  const others = ["contains", "allOf", "anyOf", "oneOf", "if", "$ref", "$dynamicRef"];
  if (!others.some((keyword) => keywords.has(keyword)) && !keywords.has("dependentSchemas")) {
    return node;
  }
  throw refuse("unevaluatedItems", keywords.place, node === NEVER ? false : {});
}
