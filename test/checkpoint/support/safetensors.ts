/** Writes safetensors files, sound ones and others. */
import { joined } from "../../support/joined.js";

/** A tensor to write. */
export interface SafetensorsData {
  name: string;
  dtype: string;
  shape: readonly number[];
  data: Uint8Array;
}

/** A file of these tensors, one after the other. */
export function encodeSafetensors(tensors: readonly SafetensorsData[]): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, data }) => {
    const start = end;
    end += data.length;
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const header = { __metadata__: { format: "pt" }, ...Object.fromEntries(entries) };
  return withHeader(
    JSON.stringify(header),
    tensors.map(({ data }) => data),
  );
}

/** A file with any text as its header. */
export function withHeader(
  text: string,
  data: readonly Uint8Array[] = [],
): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
  return joined([length, header, ...data]);
}
