/** A SHA-256 (FIPS 180-4) of bytes that come in pieces. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** In lower-case hexadecimal; to be called once. */
  digest(): string;
}
