/**
 * The format of saved sessions: a frame (src/format/frame.ts) "PLMSESSN", its CRC-32, and the
 * sections that its header lists. Each part of a section is followed by a CRC-32 of its section and
 * its place there, and its bytes. So every part's place follows from the header, a reader can check
 * each part as it comes, no part can stand for another, and rows that did not change are the same
 * bytes in the next save.
 *
 *     tokens      u32[length]
 *     messages    UTF-8; missing in a session without a conversation
 *     pages       for each 64 positions, for each layer: rows, u8[64 or at the end fewer, rowBytes]
 */
import { describeValue, listOf } from "../describe.js";
import { PlmError, quote } from "../errors.js";
import {
  CRC_BYTES,
  type FrameFormat,
  type FramePrefix,
  invalidFrame,
  PREFIX_BYTES,
} from "../format/frame.js";
import { PAGE_ROWS } from "../kernels/packed.js";

export const SNAPSHOT: FrameFormat = { name: "session", magic: "PLMSESSN", version: 2 };

/** The most bytes of messages: over a million tokens of text. */
export const MOST_MESSAGES_BYTES: number = 4 << 20;

/** The number and kind of a session's rows, and their model. */
export interface SnapshotShape {
  /** The model's fingerprint. */
  readonly model: string;
  readonly cacheType: string;
  readonly rowBytes: number;
  readonly layers: number;
  /** Positions, each with a token and a row in every layer. */
  readonly length: number;
}

/** A part of a saved session. */
export type SectionName = "tokens" | "messages" | "pages";

/** A section and its bytes, including checksums. */
interface Section {
  readonly name: SectionName;
  readonly bytes: number;
}

/** The JSON at the start of a saved session. */
export interface SnapshotHeader extends SnapshotShape {
  readonly pageRows: number;
  readonly sections: readonly Section[];
}

/** The keys of a header. */
const KEYS = ["model", "cacheType", "rowBytes", "layers", "length", "pageRows", "sections"];
/** The names of sections, in their order. */
const SECTION_NAMES: readonly string[] = ["tokens", "messages", "pages"];

/** A session's header; `messagesBytes` is undefined without messages. */
export function snapshotHeader(shape: SnapshotShape, messagesBytes?: number): SnapshotHeader {
  const { model, cacheType, rowBytes, layers, length } = shape;
  const tokens: Section = { name: "tokens", bytes: 4 * length + CRC_BYTES };
  const pages: Section = { name: "pages", bytes: pagesBytes(shape) };
  const sections =
    messagesBytes === undefined
      ? [tokens, pages]
      : [tokens, { name: "messages", bytes: messagesBytes + CRC_BYTES } as const, pages];
  return { model, cacheType, rowBytes, layers, length, pageRows: PAGE_ROWS, sections };
}

/** The place of a part that begins `offset` bytes from its section's start, for its checksum. */
export function placeOf(section: SectionName, offset: number): number {
  return ((1 + SECTION_NAMES.indexOf(section)) << 30) + offset;
}

/** Bytes of all sections. */
export function sectionsBytes({ sections }: SnapshotHeader): number {
  return sections.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes of the messages; undefined without any. */
export function messagesBytes({ sections }: SnapshotHeader): number | undefined {
  const section = sections.find(({ name }) => name === "messages");
  return section && section.bytes - CRC_BYTES;
}

/** Rows of each page of an index, and its bytes with its checksum. */
export function pageSize(
  { rowBytes, length }: SnapshotShape,
  index: number,
): { rows: number; bytes: number } {
  const rows = Math.min(PAGE_ROWS, length - index * PAGE_ROWS);
  return { rows, bytes: rows * rowBytes + CRC_BYTES };
}

function pagesBytes({ layers, length, rowBytes }: SnapshotShape): number {
  return layers * (length * rowBytes + Math.ceil(length / PAGE_ROWS) * CRC_BYTES);
}

/**
 * The header of a frame whose checksum is right. Throws INVALID_FILE for values that no session
 * has, UNSUPPORTED_FILE for a key, section or page size that this version does not know.
 */
export function parseSnapshotHeader(value: unknown, prefix: FramePrefix): SnapshotHeader {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("header", "an object", value);
  }
  const fields = value as Record<string, unknown>;
  const stranger = Object.keys(fields).find((key) => !KEYS.includes(key));
  if (stranger !== undefined) throw unsupported(`no ${quote(stranger)} in the header`, "one");
  const text = (key: string): string => {
    const found = fields[key];
    if (typeof found === "string") return found;
    throw invalid(key, "a string", found);
  };
  const count = (key: string, least: number): number => {
    const found = fields[key];
    if (isCount(found) && found >= least) return found;
    throw invalid(key, `an integer of at least ${least}`, found);
  };
  const pageRows = count("pageRows", 1);
  if (pageRows !== PAGE_ROWS) throw unsupported(`pages of ${PAGE_ROWS} rows`, `${pageRows}`);
  const shape = {
    ...{ model: text("model"), cacheType: text("cacheType") },
    ...{ rowBytes: count("rowBytes", 1), layers: count("layers", 1), length: count("length", 0) },
  };
  const sections = parseSections(fields.sections);
  const header = snapshotHeader(shape, messagesBytes({ ...shape, pageRows, sections }));
  checkSizes(header, sections, prefix);
  return header;
}

function parseSections(value: unknown): Section[] {
  if (!Array.isArray(value)) throw invalid("sections", "an array", value);
  return Array.from(value as readonly unknown[], (entry, i) => {
    const { name, bytes } = (entry ?? {}) as Partial<Record<string, unknown>>;
    if (typeof name !== "string") throw invalid(`sections[${i}].name`, "a string", name);
    if (!SECTION_NAMES.includes(name)) {
      throw unsupported(`sections ${SECTION_NAMES.join(", ")}`, quote(name));
    }
    if (!isCount(bytes)) throw invalid(`sections[${i}].bytes`, "a whole number", bytes);
    return { name, bytes } as Section;
  });
}

/** Compares the listed sections with the header's counts and with the file's size. */
function checkSizes(header: SnapshotHeader, listed: readonly Section[], prefix: FramePrefix): void {
  const expected = describeSections(header.sections);
  const got = describeSections(listed);
  if (expected !== got) throw invalidFrame(SNAPSHOT, `the sections ${expected}`, got);
  const most = MOST_MESSAGES_BYTES;
  const messages = messagesBytes(header) ?? 0;
  if (messages < 0 || messages > most) {
    throw invalidFrame(SNAPSHOT, `at most ${most} bytes of messages`, `${messages}`);
  }
  const totalBytes = PREFIX_BYTES + prefix.headerBytes + CRC_BYTES + sectionsBytes(header);
  if (totalBytes !== prefix.totalBytes) {
    throw invalidFrame(SNAPSHOT, `${prefix.totalBytes} bytes`, `sections for ${totalBytes}`);
  }
}

function describeSections(sections: readonly Section[]): string {
  return listOf(
    sections.map(({ name, bytes }) => `${name} (${bytes} bytes)`),
    4,
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(key: string, expected: string, value: unknown): PlmError {
  return invalidFrame(SNAPSHOT, `${key} to be ${expected}`, describeValue(value));
}

function unsupported(expected: string, got: string): PlmError {
  return new PlmError("UNSUPPORTED_FILE", `session: expected ${expected}, got ${got}`);
}
