/** What is known of a file that is downloaded. */
export interface FileFacts {
  /** What the user calls it: an `hf:` name, or a URL without its query. */
  readonly source: string;
  /** In bytes. */
  readonly size: number;
  /** As the server gave them. */
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** Of the whole file, in lower-case hexadecimal; undefined if nobody gave one. */
  readonly sha256: string | undefined;
}
