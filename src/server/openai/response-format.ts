/** `response_format` and its relatives as the library's `responseFormat`. */
import type { ResponseFormat } from "../../generation/response-format.js";
import type { Fields } from "../fields.js";
import { badField } from "../http-error.js";

/**
 * The format of an answer: OpenAI's `response_format`, or llama-server's `json_schema` or
 * `grammar`. Throws HttpError 400 for more than one.
 */
export function readResponseFormat(fields: Fields): ResponseFormat | undefined {
  const found: [name: string, format: ResponseFormat][] = [];
  const format = fields.fields("response_format");
  if (format !== undefined) {
    const read = readFormat(format);
    if (read !== undefined) found.push(["response_format", read]);
  }
  const schema = fields.take("json_schema");
  if (schema !== undefined) {
    found.push([
      "json_schema",
      { type: "json_schema", schema: checkSchema(fields, "json_schema") },
    ]);
  }
  const grammar = fields.text("grammar");
  if (grammar !== undefined && grammar !== "") {
    found.push(["grammar", { type: "grammar", grammar }]);
  }
  if (found.length > 1) {
    throw badField(found[1][0], `no form of the answer beside ${found[0][0]}`, "one");
  }
  fields.names.set("responseFormat", found[0]?.[0] ?? "response_format");
  return found[0]?.[1];
}

/** `response_format` or `text.format`; the schema may lie in `json_schema` or beside the type. */
export function readFormat(format: Fields): ResponseFormat | undefined {
  const type = format.text("type");
  const nested = format.fields("json_schema");
  const place = nested ?? format;
  place.accept("name", "description", "strict");
  const schema = place.take("schema");
  format.refuseOthers();
  nested?.refuseOthers();
  if (type === "text") return undefined;
  if (type === "json_object" && schema === undefined) return { type: "json" };
  if (type === "json_object" || type === "json_schema") {
    return { type: "json_schema", schema: checkSchema(place, "schema") };
  }
  throw format.wrong("type", '"text", "json_object" or "json_schema"');
}

/** A field that is a JSON Schema. */
export function checkSchema(fields: Fields, name: string): object | boolean {
  const schema = fields.take(name);
  const isSchema = typeof schema === "object" && schema !== null && !Array.isArray(schema);
  if (isSchema || typeof schema === "boolean") return schema;
  throw fields.wrong(name, "a JSON Schema");
}
