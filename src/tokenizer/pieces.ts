/** The text that tokens stand for. */
import { PlmError, quote } from "../errors.js";
import { requireGlobal } from "../globals.js";
import { BYTE_LOOK, type TokenKinds } from "./token-kinds.js";
import { TokenType } from "./vocabulary.js";

/** Texts with only characters that stand for themselves in the byte-level alphabet. */
const PRINTABLE_ASCII = /^[\x21-\x7e]*$/;

const NO_BYTES = new Uint8Array(0);

/**
 * Bytes of the tokens that do not stand for what their text spells in the byte-level alphabet, by
 * id: the text itself for tokens parsed in text (`kinds`), one byte for any other of type byte
 * (`<0x0A>`), nothing for any other unused token.
 *
 * A token that plain text can become (`makes`) stands for that text whatever its type, as in
 * Hugging Face's tokenizers, so that encoded text can be decoded; llama.cpp goes by the type
 * alone. Throws INVALID_FILE if a token of type byte names no byte.
 */
export function piecesByType(
  tokens: readonly string[],
  tokenTypes: ArrayLike<number>,
  { control, userDefined, markup }: TokenKinds,
  makes: (id: number) => boolean,
): Map<number, Uint8Array<ArrayBuffer>> {
  const pieces = new Map<number, Uint8Array<ArrayBuffer>>();
  const utf8 = new (requireGlobal("TextEncoder"))();
  const parsed = new Set([...control, ...userDefined, ...markup].map(([id]) => id));
  tokens.forEach((text, id) => {
    const type = tokenTypes[id];
    if (makes(id)) return;
    if (parsed.has(id)) {
      if (!PRINTABLE_ASCII.test(text)) pieces.set(id, utf8.encode(text));
    } else if (type === TokenType.unused) pieces.set(id, NO_BYTES);
    else if (type === TokenType.byte) pieces.set(id, Uint8Array.of(byteOf(text, id)));
  });
  return pieces;
}

/** The byte that a token of type byte, such as `<0x0A>`, stands for. */
function byteOf(text: string, id: number): number {
  const digits = BYTE_LOOK.exec(text);
  if (digits) return Number.parseInt(digits[1], 16);
  throw new PlmError(
    "INVALID_FILE",
    `token ${id}: expected a byte like <0x0A>, got ${quote(text)}`,
  );
}
