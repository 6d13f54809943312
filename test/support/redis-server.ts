/** A real `redis-server` of a test's own, on a free port, in a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long it may take to listen. */
const START_MS = 20_000;

export interface RedisOptions {
  /** Such as "3mb"; what does not fit is refused, nothing is evicted. Default: no limit. */
  readonly maxmemory?: string;
  /** A password that clients must have. */
  readonly password?: string;
  /** Whether `restart` finds what was written before `kill`. Default false. */
  readonly keeps?: boolean;
}

export interface RedisServer {
  /** With the password, where there is one. */
  readonly url: string;
  readonly port: number;
  /** Redis does not answer until `resume`; its sockets stay open. */
  pause(): void;
  resume(): void;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port, after `kill`. */
  restart(): Promise<void>;
  /** What `redis-cli` prints for a command. */
  command(...words: string[]): string;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const isInstalled = spawnSync("redis-server", ["--version"]).status === 0;

/**
 * Starts one; undefined, with a word about it, where `redis-server` is not installed. Throws there
 * if CI=true: its machines have it.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer | undefined> {
  if (!isInstalled) {
    if (process.env.CI === "true") throw new Error("redis-server: expected it in CI, got none");
    console.log("skipped: no redis-server is installed");
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "plm-redis-"));
  const port = await findPort();
  const args = argumentsOf(port, folder, options);
  let child = await start(args, port);
  const onExit = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.on("exit", onExit);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  };
  const { password } = options;
  const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return {
    url: `redis://${user}127.0.0.1:${port}`,
    port,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill,
    restart: async () => {
      child = await start(args, port);
    },
    command: (...words) => {
      const key = password === undefined ? [] : ["--no-auth-warning", "-a", password];
      const { stdout } = spawnSync("redis-cli", ["-p", `${port}`, ...key, ...words]);
      return String(stdout).trim();
    },
    stop: async () => {
      process.off("exit", onExit);
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function argumentsOf(port: number, folder: string, options: RedisOptions): string[] {
  const { maxmemory, password, keeps = false } = options;
  return [
    ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
    ...["--appendonly", keeps ? "yes" : "no", "--appendfsync", "always"],
    ...["--maxmemory-policy", "noeviction"],
    ...(maxmemory === undefined ? [] : ["--maxmemory", maxmemory]),
    ...(password === undefined ? [] : ["--requirepass", password]),
  ];
}

/** Starts the process, and waits until it takes connections. */
async function start(args: readonly string[], port: number): Promise<ChildProcess> {
  const child = spawn("redis-server", args, { stdio: "ignore" });
  const endMs = performance.now() + START_MS;
  while (!(await isAnswering(port))) {
    if (child.exitCode !== null || performance.now() > endMs) {
      child.kill("SIGKILL");
      throw new Error(`redis-server: expected it to listen on port ${port}, it does not`);
    }
    await sleep(20);
  }
  return child;
}

/** Whether Redis answers there; also an error, as while it reads its files, is an answer. */
async function isAnswering(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.once("data", (bytes) => resolve(!String(bytes).startsWith("-LOADING")));
      socket.once("close", () => resolve(false));
      socket.write("PING\r\n");
    });
  } finally {
    socket.destroy();
  }
}

async function findPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
