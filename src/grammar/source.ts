/** Grammars by their sources. */
import { invalidArgument } from "../errors.js";
import type { Grammar } from "./expression.js";
import { parseGbnf } from "./gbnf/parse.js";
import { schemaGrammar } from "./json-schema/compile.js";
import { prune } from "./prune.js";
import { regexGrammar } from "./regex/compile.js";
import { structuralTagGrammar } from "./structural-tag.js";

/** A grammar as text: the same text, the same grammar. */
export interface GrammarSource {
  readonly type: "json_schema" | "regex" | "grammar" | "structural_tag";
  /** A schema as JSON, a pattern, a grammar in GBNF, or structural tags as JSON. */
  readonly text: string;
}

/**
 * The grammar of a source, without what no text follows. Throws INVALID_ARGUMENT for what cannot be
 * honoured.
 */
export function grammarOf({ type, text }: GrammarSource): Grammar {
  switch (type) {
    case "json_schema":
      return schemaGrammar(JSON.parse(text));
    case "regex":
      return pruned(regexGrammar(text));
    case "grammar":
      return pruned(parseGbnf(text));
    case "structural_tag":
      return structuralTagGrammar(JSON.parse(text));
  }
}

/** Those of schemas come pruned, and so do tags around them. */
function pruned(whole: Grammar): Grammar {
  const grammar = prune(whole);
  if (grammar !== undefined) return grammar;
  throw invalidArgument("responseFormat", "a form that some text has", "one that none has");
}
