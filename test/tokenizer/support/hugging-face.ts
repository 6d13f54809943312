/** The Qwen2 pipeline in Hugging Face's own implementation, over any vocabulary. */
import * as oracle from "@huggingface/tokenizers";

const PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" +
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/**
 * A tokenizer of `vocab` (ids by text), `merges`, and tokens by id that are split off first; the
 * vocabulary may also have these.
 */
export function huggingFaceTokenizer(
  vocab: Record<string, number>,
  merges: readonly string[],
  added: readonly [id: number, content: string][],
): oracle.Tokenizer {
  const split = { type: "Split", pattern: { Regex: PATTERN }, behavior: "Isolated", invert: false };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
  const json = {
    added_tokens: added.map(([id, content]) => ({
      id,
      content,
      special: true,
      normalized: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })),
    normalizer: { type: "NFC" },
    pre_tokenizer: { type: "Sequence", pretokenizers: [split, byteLevel] },
    post_processor: byteLevel,
    decoder: byteLevel,
    model: { type: "BPE", vocab, merges: [...merges], byte_fallback: false, ignore_merges: false },
  };
  return new oracle.Tokenizer(json, { tokenizer_class: "Qwen2Tokenizer" });
}
