/** `plm worker`: answers the lines of `plm batch --redis`. */
import type { Command } from "commander";
import { abortable } from "../../abortable.js";
import { createLineServer } from "../batch/answer-line.js";
import {
  addPrefixCache,
  addQueueOptions,
  lineModelOptions,
  type PrefixCacheFlags,
  type QueueFlags,
  redisOption,
} from "../batch/flags.js";
import { workOnQueue } from "../batch/queue-worker.js";
import { loadRedisPackages, parseRedisUrl, RedisLink } from "../batch/redis-link.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions } from "../options.js";
import { note, showNotes, writeLine } from "../output.js";
import {
  addServedModelOptions,
  openServedModel,
  type ServedModelFlags,
  servedName,
} from "../served-model.js";

interface WorkerFlags extends ServedModelFlags, PrefixCacheFlags, QueueFlags {
  readonly redis: string;
}

export function addWorker(program: Command): void {
  const command = program
    .command("worker")
    .summary("answer lines of plm batch --redis")
    .description(
      "Answers the lines that plm batch --redis puts into a queue in Redis, together with any " +
        "number of other workers (docs/batch.md). The lines of one that is killed go to another. " +
        "Ctrl-C lets it finish what it has begun; a second one ends it at once.",
    )
    .addOption(redisOption().makeOptionMandatory());
  addModelOptions(addPrefixCache(addServedModelOptions(addQueueOptions(command))))
    .addHelpText("after", "\nExample:\n  plm worker --redis redis://localhost:6379")
    .action((flags: WorkerFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: WorkerFlags, signal: AbortSignal): Promise<void> {
  const url = parseRedisUrl(flags.redis);
  const packages = await loadRedisPackages();
  const tell = (line: string): void => {
    note(line);
    showNotes();
  };
  const link = new RedisLink(url, packages, { timeoutMs: 1000 * flags.redisTimeout, tell });
  try {
    await abortable(link.ready(), signal);
    const model = await openServedModel(flags, signal, lineModelOptions(flags));
    try {
      const handler = await createLineServer(model, servedName(flags));
      const concurrency = model.plan.options.maxSequences;
      const work = { packages, link, queue: flags.queue, handler, concurrency, tell };
      showNotes();
      await writeLine(`${link.name} is ready`);
      await workOnQueue(work, signal);
    } finally {
      model.dispose();
    }
  } finally {
    link.close();
  }
}
