/** Writes a tokenizer as entries of GGUF metadata. */
import type { TokenizerSource } from "./metadata.js";

/** One key of GGUF metadata: a MetadataEntry of the format's writer. */
export interface TokenizerEntry {
  key: string;
  type: "string" | "uint32" | "bool" | { array: "string" | "int32" };
  value: string | number | boolean | string[] | Int32Array;
}

/**
 * A tokenizer as GGUF metadata, ready for the format's writer and for `Tokenizer.fromMetadata`.
 * Without a begin token, the end token is named as one, because programs that find none assume one:
 * llama.cpp token 11. A template that writes `bos_token` then writes the end token's text, both
 * here and there.
 */
export function metadataOf(source: TokenizerSource): TokenizerEntry[] {
  const { bosTokenId, eosTokenId, eosTokenIds, eotTokenId, eomTokenId, paddingTokenId } = source;
  const tokenTypes = Int32Array.from(source.tokenTypes);
  const entries: TokenizerEntry[] = [
    { key: "tokenizer.ggml.model", type: "string", value: "gpt2" },
    { key: "tokenizer.ggml.pre", type: "string", value: "qwen2" },
    { key: "tokenizer.ggml.tokens", type: { array: "string" }, value: [...source.tokens] },
    { key: "tokenizer.ggml.token_type", type: { array: "int32" }, value: tokenTypes },
    { key: "tokenizer.ggml.merges", type: { array: "string" }, value: [...source.merges] },
    { key: "tokenizer.ggml.add_bos_token", type: "bool", value: source.addBosToken ?? false },
  ];
  const addId = (name: string, value: number | undefined): void => {
    if (value === undefined) return;
    entries.push({ key: `tokenizer.ggml.${name}_token_id`, type: "uint32", value });
  };
  addId("bos", bosTokenId ?? eosTokenId);
  addId("eos", eosTokenId);
  addId("eot", eotTokenId);
  addId("eom", eomTokenId);
  addId("padding", paddingTokenId);
  if (eosTokenIds !== undefined) {
    const value = Int32Array.from(eosTokenIds);
    entries.push({ key: "tokenizer.ggml.eos_token_ids", type: { array: "int32" }, value });
  }
  const { chatTemplate, namedChatTemplates = {} } = source;
  if (chatTemplate !== undefined) {
    entries.push({ key: "tokenizer.chat_template", type: "string", value: chatTemplate });
  }
  const named = Object.entries(namedChatTemplates);
  if (named.length > 0) {
    const value = named.map(([name]) => name);
    entries.push({ key: "tokenizer.chat_templates", type: { array: "string" }, value });
  }
  for (const [name, value] of named) {
    entries.push({ key: `tokenizer.chat_template.${name}`, type: "string", value });
  }
  return entries;
}
