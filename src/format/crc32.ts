/** CRC-32 as zip, PNG and Ethernet have it (reflected polynomial 0xedb88320), 8 bytes at a time. */

/** At [k, byte]: what a byte with k bytes after it adds to the CRC. */
const TABLES: Int32Array = createTables();

function createTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256];
    tables[i] = (before >>> 8) ^ tables[before & 0xff];
  }
  return tables;
}

/** The CRC of bytes that follow bytes of CRC `before`; 0 before the first. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const { buffer, byteOffset, length } = bytes;
  const start = Math.min(-byteOffset & 3, length);
  const pairs = Math.floor((length - start) / 8);
  let crc = addBytes(bytes.subarray(0, start), ~before);
  if (pairs > 0) crc = addPairs(new Int32Array(buffer, byteOffset + start, 2 * pairs), crc);
  return ~addBytes(bytes.subarray(start + 8 * pairs), crc) >>> 0;
}

function addBytes(bytes: Uint8Array, before: number): number {
  let crc = before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[i]) & 0xff];
  return crc;
}

function addPairs(words: Int32Array, before: number): number {
  let crc = before;
  for (let i = 0; i < words.length; i += 2) {
    const low = words[i] ^ crc;
    const high = words[i + 1];
    crc =
      TABLES[0x700 + (low & 0xff)] ^
      TABLES[0x600 + ((low >>> 8) & 0xff)] ^
      TABLES[0x500 + ((low >>> 16) & 0xff)] ^
      TABLES[0x400 + (low >>> 24)] ^
      TABLES[0x300 + (high & 0xff)] ^
      TABLES[0x200 + ((high >>> 8) & 0xff)] ^
      TABLES[0x100 + ((high >>> 16) & 0xff)] ^
      TABLES[high >>> 24];
  }
  return crc;
}
