/** Downloads of a file of some blocks from a server as bad as a test asks. */
import * as assert from "uvu/assert";
import { PlmError } from "../../../src/errors.js";
import { HttpClient } from "../../../src/sources/http-client.js";
import { RemoteFile } from "../../../src/sources/http-source.js";
import { pullFile } from "../../../src/sources/pull.js";
import { openStore } from "../../../src/sources/remotes.js";
import { BLOCK_BYTES } from "../../../src/store/manifest.js";
import { storeKey } from "../../../src/store/store-key.js";
import { TestEnvironment } from "../../sources/support/environment.js";
import { seededRandom } from "../../support/random.js";
import { type Fault, type Hub, serveHub, sha256Of } from "./hub.js";
import { useOwnStore } from "./own-store.js";

/** Two blocks and a part of a third. */
export const FILE: Uint8Array = randomBytes(2 * BLOCK_BYTES + 12_345, 1);
export const SHA256: string = sha256Of(FILE);

/** Seeded bytes. */
export function randomBytes(length: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => random() * 256);
}

interface Outcome {
  readonly error: PlmError | undefined;
  readonly store: string;
}

/** Downloads from a server with the fault. */
export async function pullWith(
  fault: Fault,
  { sha256, token }: { sha256?: string; token?: string } = {},
): Promise<Outcome & { hub: Hub }> {
  const hub = await serveHub({ m: FILE });
  hub.fault = fault;
  const store = useOwnStore();
  const outcome = await pull(hub, { sha256, token });
  await hub.close();
  return { ...outcome, store, hub };
}

async function pull(
  hub: Hub,
  { sha256, token }: { sha256: string | undefined; token?: string | undefined },
): Promise<{ error: PlmError | undefined }> {
  const headers = token === undefined ? {} : { headers: { authorization: token } };
  const client = new HttpClient(headers, new TestEnvironment());
  const file = new RemoteFile(
    new URL("m", hub.url),
    client,
    sha256 === undefined ? {} : { sha256 },
  );
  const store = await openStore();
  const place = { store, entry: store.entry(await storeKey(file.url)) };
  const watch = { onProgress: () => undefined };
  const error = await pullFile(file, { place, connections: 3, watch, signal: undefined }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return { error };
  assert.instance(error, PlmError, String(error));
  return { error: error as PlmError };
}
