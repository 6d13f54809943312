/** Metadata values of GGUF: their types and how they are read. */
import { quote } from "../errors.js";
import type { Cursor } from "./cursor.js";

/**
 * A metadata value. Numbers are bigint only beyond 2^53. Arrays of numbers are typed arrays of the
 * stored width (64-bit integers: BigInt64Array, BigUint64Array); of strings, string[]; of booleans,
 * boolean[]; of arrays, GgufValue[].
 */
export type GgufValue = number | bigint | boolean | string | NumberArray | GgufValue[];

/** A metadata array of numbers. */
export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** The types of single values, by the names that GGUF's specification gives them. */
export type ScalarType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "float32"
  | "bool"
  | "string"
  | "uint64"
  | "int64"
  | "float64";

/** The types of numbers. */
export type NumberType = Exclude<ScalarType, "bool" | "string">;

/** A value's type; `{ array }` is an array whose items all have the type within. */
export type MetadataType = ScalarType | { array: MetadataType };

/** Number of each single type in the file. */
export const SCALAR_TYPE_IDS: Readonly<Record<ScalarType, number>> = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  uint64: 10,
  int64: 11,
  float64: 12,
};

/** Number of the array type in the file. */
export const ARRAY_TYPE_ID = 9;

/** The deepest nesting of arrays, far deeper than in any known file. */
const MAX_DEPTH = 8;

/**
 * The fewest bytes that a key and its value take: the key's length, the type, one byte of value.
 */
export const MIN_ENTRY_BYTES: number = 8 + 4 + 1;

/** The fewest bytes of a string and of an array: a length; a type and a length. */
const MIN_STRING_BYTES = 8;
const MIN_ARRAY_BYTES = 4 + 8;

/** The most values that take many times their bytes in JavaScript; no model has many. */
const MOST_NESTED = 1 << 16;
const MOST_BOOLEANS = 1 << 20;

const TYPE_NAMES = new Map(
  (Object.keys(SCALAR_TYPE_IDS) as ScalarType[]).map((name) => [SCALAR_TYPE_IDS[name], name]),
);

type NumberArrayClass = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): NumberArray;
};

/** The typed array that holds each type of number. */
export const NUMBER_ARRAYS: Readonly<Record<NumberType, NumberArrayClass>> = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
};

/** Reads one key with its value. Throws INVALID_FILE for what the format does not allow. */
export function readEntry(cursor: Cursor): [key: string, value: GgufValue] {
  const key = cursor.identifier();
  cursor.context = `metadata ${quote(key)}`;
  const typeId = cursor.u32();
  return [key, typeId === ARRAY_TYPE_ID ? readArray(cursor, 1) : readScalar(cursor, typeId)];
}

function scalarType(cursor: Cursor, typeId: number): ScalarType {
  const type = TYPE_NAMES.get(typeId);
  if (type === undefined) throw cursor.invalid(`value type ${typeId}; expected 0 to 12`);
  return type;
}

function readScalar(cursor: Cursor, typeId: number): GgufValue {
  switch (scalarType(cursor, typeId)) {
    case "uint8":
      return cursor.u8();
    case "int8":
      return cursor.i8();
    case "uint16":
      return cursor.u16();
    case "int16":
      return cursor.i16();
    case "uint32":
      return cursor.u32();
    case "int32":
      return cursor.i32();
    case "float32":
      return cursor.f32();
    case "bool":
      return cursor.bool();
    case "string":
      return cursor.string();
    case "uint64":
      return cursor.u64();
    case "int64":
      return cursor.i64();
    case "float64":
      return cursor.f64();
  }
}

/** Grows lists as items come, so that they never outgrow the bytes read. */
function readArray(cursor: Cursor, depth: number): GgufValue {
  if (depth > MAX_DEPTH) throw cursor.invalid(`arrays nested over ${MAX_DEPTH} deep`);
  const typeId = cursor.u32();
  if (typeId === ARRAY_TYPE_ID) {
    const count = cursor.count(MIN_ARRAY_BYTES, "arrays");
    cursor.nestedArrays += count;
    if (cursor.nestedArrays > MOST_NESTED) {
      throw cursor.unsupported(`more than ${MOST_NESTED} arrays in arrays`);
    }
    const arrays: GgufValue[] = [];
    for (let i = 0; i < count; i++) arrays.push(readArray(cursor, depth + 1));
    return arrays;
  }
  const type = scalarType(cursor, typeId);
  if (type === "string") {
    const count = cursor.count(MIN_STRING_BYTES, "strings");
    const start = cursor.position;
    // Waits for all bytes first: decoding is slow, and a wait restarts the value.
    for (let i = 0; i < count; i++) cursor.skipString();
    cursor.position = start;
    const strings: string[] = [];
    for (let i = 0; i < count; i++) strings.push(cursor.string());
    return strings;
  }
  if (type === "bool") {
    const count = cursor.count(1, "booleans");
    if (count > MOST_BOOLEANS) throw cursor.unsupported(`more than ${MOST_BOOLEANS} booleans`);
    cursor.take(count);
    cursor.position -= count;
    return Array.from({ length: count }, () => cursor.bool());
  }
  const NumberArray = NUMBER_ARRAYS[type];
  const count = cursor.count(NumberArray.BYTES_PER_ELEMENT, "numbers");
  return new NumberArray(cursor.copy(count * NumberArray.BYTES_PER_ELEMENT).buffer);
}
