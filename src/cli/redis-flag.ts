/** `--redis`, the address of a Redis. */
import { Option } from "commander";
import { PlmError } from "../errors.js";

/** `--redis`. */
export function redisOption(): Option {
  return new Option("--redis <url>", "address of a Redis, such as redis://localhost:6379");
}

/** The address of --redis. Throws INVALID_ARGUMENT, without what may be a password. */
export function parseRedisUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== "") return url;
  const got = url === undefined ? "what is no URL" : `one of ${url.protocol}`;
  const message = `--redis: expected a URL such as redis://localhost:6379, got ${got}`;
  throw new PlmError("INVALID_ARGUMENT", message);
}
