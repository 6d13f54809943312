/** The files of a checkpoint by name, and their text and JSON. */
import { kindOf } from "../describe.js";
import { invalidArgument, PlmError, reasonOf } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { baseName, isCheckpointFile } from "../format/checkpoint-names.js";
import { requireGlobal } from "../globals.js";

/** The longest file of text; PLM's tokenizer.json has 7 MB. */
const MAX_TEXT_BYTES = 64 << 20;

/** The first read of a file whose length is unknown. */
const FIRST_BYTES = 1 << 16;

/** A JSON object, and its file's name for messages. */
export interface JsonFile {
  readonly name: string;
  /** Values by key; null, which means the same as nothing, is left out. */
  readonly values: ReadonlyMap<string, unknown>;
}

export class CheckpointFiles {
  /** The folder, for messages; the first file where names have none. */
  readonly folder: string;
  readonly #sources = new Map<string, ByteSource>();
  readonly #signal: AbortSignal | undefined;

  /** Ignores files that are none of a checkpoint. Throws INVALID_ARGUMENT for a name twice. */
  constructor(sources: readonly ByteSource[], signal?: AbortSignal) {
    this.#signal = signal;
    for (const source of sources) {
      const name = baseName(source.name);
      if (!isCheckpointFile(name)) continue;
      if (this.#sources.has(name)) {
        throw invalidArgument("source", "each file of a checkpoint once", `${name} twice`);
      }
      this.#sources.set(name, source);
    }
    const [first] = this.#sources.values();
    const name = (first ?? sources[0]).name;
    this.folder = (first && name.slice(0, -baseName(name).length - 1)) || name;
  }

  names(): string[] {
    return [...this.#sources.keys()];
  }

  find(name: string): ByteSource | undefined {
    return this.#sources.get(name);
  }

  /** The file; throws INVALID_FILE if it is missing, with what needs it. */
  require(name: string, what: string): ByteSource {
    const source = this.#sources.get(name);
    if (source !== undefined) return source;
    throw this.missing(name, what);
  }

  /** An error that says which file is missing. */
  missing(name: string, what: string): PlmError {
    const [only, ...others] = this.#sources.keys();
    const got = others.length > 0 ? "none" : `${only ?? "other files"} alone: pass the folder`;
    return new PlmError("INVALID_FILE", `${this.folder}: expected ${name}, ${what}; got ${got}`);
  }

  /** The JSON object in the file; undefined if the file is missing. */
  async json(name: string): Promise<JsonFile | undefined> {
    const source = this.#sources.get(name);
    if (source === undefined) return undefined;
    const text = await this.#textOf(source);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      const message = `${source.name}: expected JSON: ${reasonOf(cause)}`;
      throw new PlmError("INVALID_FILE", message, { cause });
    }
    if (!isObject(value)) throw invalidJson(source.name, "a JSON object", kindOf(value));
    return { name: source.name, values: valuesOf(value) };
  }

  /** The file's text; undefined if it is missing. */
  async text(name: string): Promise<string | undefined> {
    const source = this.#sources.get(name);
    return source === undefined ? undefined : this.#textOf(source);
  }

  async #textOf(source: ByteSource): Promise<string> {
    const bytes = await this.#bytesOf(source);
    try {
      return new (requireGlobal("TextDecoder"))("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      const message = `${source.name}: expected UTF-8, got other bytes`;
      throw new PlmError("INVALID_FILE", message, { cause });
    }
  }

  /** All bytes, through a buffer that doubles where the length is unknown. */
  async #bytesOf(source: ByteSource): Promise<Uint8Array> {
    if ((source.size ?? 0) > MAX_TEXT_BYTES) throw tooLong(source);
    let bytes = new Uint8Array(source.size ?? FIRST_BYTES);
    let length = 0;
    for (;;) {
      const read = await source.read(length, bytes.subarray(length), this.#signal);
      const isEnd = length + read < bytes.length || source.size === bytes.length;
      length += read;
      if (isEnd) return bytes.subarray(0, length);
      if (length > MAX_TEXT_BYTES) throw tooLong(source);
      const longer = new Uint8Array(length * 2);
      longer.set(bytes);
      bytes = longer;
    }
  }
}

function tooLong({ name }: ByteSource): PlmError {
  const message = `${name}: expected at most ${MAX_TEXT_BYTES} bytes, got more`;
  return new PlmError("UNSUPPORTED_FILE", message);
}

/** Whether it is an object of JSON: no list, no null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object's values by key, without null. */
export function valuesOf(object: Record<string, unknown>): Map<string, unknown> {
  return new Map(Object.entries(object).filter(([, value]) => value !== null));
}

/** An error of what a file says. */
export function invalidJson(where: string, expected: string, got: string): PlmError {
  return new PlmError("INVALID_FILE", `${where}: expected ${expected}, got ${got}`);
}

/** An error of a sound file that asks for what this package lacks. */
export function unsupportedJson(where: string, expected: string, got: string): PlmError {
  return new PlmError("UNSUPPORTED_FILE", `${where}: expected ${expected}, got ${got}`);
}
