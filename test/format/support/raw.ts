/** Headers written field by field, so that they can be wrong. */
import { ByteWriter } from "../../../src/format/byte-writer.js";

/** A tensor's entry in a header. */
export interface RawTensor {
  name?: string;
  ne?: (number | bigint)[];
  type?: number;
  offset?: number | bigint;
}

/** A header written field by field, so that it can be wrong; 4 KiB of data follow. */
export function raw(
  entries: ((out: ByteWriter) => void)[],
  tensors: RawTensor[] = [],
  counts: { version?: number; tensors?: bigint; entries?: bigint } = {},
): Uint8Array {
  const out = new ByteWriter();
  out.u32(0x46554747);
  out.u32(counts.version ?? 3);
  out.number("uint64", counts.tensors ?? BigInt(tensors.length));
  out.number("uint64", counts.entries ?? BigInt(entries.length));
  for (const write of entries) write(out);
  for (const { name = "t", ne = [32], type = 0, offset = 0 } of tensors) {
    out.string(name);
    out.u32(ne.length);
    for (const size of ne) out.number("uint64", size);
    out.u32(type);
    out.number("uint64", offset);
  }
  out.zeros(4096);
  return out.bytes();
}

/** A key and its value's type; what follows is the value. */
export function entry(
  key: string,
  typeId: number,
  value: (out: ByteWriter) => void,
): (out: ByteWriter) => void {
  return (out: ByteWriter): void => {
    out.string(key);
    out.u32(typeId);
    value(out);
  };
}
