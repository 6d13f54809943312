/** Servers of tests, on free ports of this machine. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Where a server is, and what ends it with all its connections. */
export interface Listening {
  readonly url: URL;
  close(): Promise<void>;
}

export async function listen(server: Server): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, close };
}
