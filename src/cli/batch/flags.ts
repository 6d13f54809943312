/** Flags of the commands for batches. */
import { type Command, Option } from "commander";
import type { LoadModelOptions } from "../../generation/load-model.js";
import { integer } from "../parse.js";
import { DEFAULT_QUEUE } from "./line-jobs.js";

/** The flags that addQueueOptions adds. */
export interface QueueFlags {
  readonly redisTimeout: number;
  readonly queue: string;
}

/** Adds --redis-timeout and --queue. */
export function addQueueOptions(command: Command): Command {
  return command
    .option(
      "--redis-timeout <seconds>",
      "how long Redis may be away or full",
      integer("redis-timeout", 1),
      60,
    )
    .option("--queue <name>", "the queue's name in Redis", DEFAULT_QUEUE);
}

/** `--redis`. */
export function redisOption(): Option {
  return new Option("--redis <url>", "address of a Redis, such as redis://localhost:6379");
}

/** The flag that addPrefixCache adds. */
export interface PrefixCacheFlags {
  readonly prefixCache?: boolean;
}

export function addPrefixCache(command: Command): Command {
  return command.option(
    "--prefix-cache",
    "evaluate a beginning that lines share once; a text may then depend on the lines before it",
  );
}

/**
 * A line's text is to be the same whatever was answered before, and where: rows that another line
 * decoded round otherwise than those of a prompt (docs/sessions.md), so none are reused.
 */
export function lineModelOptions({ prefixCache = false }: PrefixCacheFlags): LoadModelOptions {
  return { prefixCache };
}
