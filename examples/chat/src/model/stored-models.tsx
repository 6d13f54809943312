/** Models that this browser has kept: downloads, also interrupted ones, and copies of files. */

import { models } from "plm-wasm";
import { useEffect, useState } from "preact/hooks";
import { formatBytes, formatShare } from "../interface/amounts.js";
import { Icon } from "../interface/icon.js";
import { reportError } from "../interface/notices.js";
import { type ModelChoice, nameOf } from "./choice.js";
import { explain } from "./explain.js";
import { listKept, removeKept } from "./kept-files.js";
import { choose } from "./loading.js";

interface Entry {
  readonly choice: ModelChoice;
  readonly bytes: number;
  /** Of a download, 0 to 1. */
  readonly share: number;
}

async function listEntries(): Promise<Entry[]> {
  // Without a store there are no downloads.
  const stored = await models.list().catch(() => []);
  const kept = await listKept();
  return [
    ...kept.map(({ name, bytes }): Entry => ({ choice: { kind: "kept", name }, bytes, share: 1 })),
    ...stored.map(
      ({ source, sizeBytes, storedBytes, isWhole }): Entry => ({
        choice: { kind: "url", url: source },
        bytes: sizeBytes,
        share: isWhole ? 1 : Math.min(0.99, storedBytes / sizeBytes),
      }),
    ),
  ];
}

async function remove({ choice }: Entry): Promise<void> {
  try {
    if (choice.kind === "url") await models.remove(choice.url);
    if (choice.kind === "kept") await removeKept(choice.name);
  } catch (error) {
    reportError(explain(error));
  }
}

export function StoredModels() {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const refresh = async (): Promise<void> => setEntries(await listEntries());
  useEffect(() => void refresh(), []);
  if (entries.length === 0) return null;
  return (
    <section class="stored" aria-label="Models in this browser">
      <h3>In this browser</h3>
      <ul>
        {entries.map((entry) => {
          const name = nameOf(entry.choice);
          const isWhole = entry.share === 1;
          return (
            <li key={`${entry.choice.kind} ${name}`}>
              <span class="name">{name}</span>
              <span class="facts">
                {formatBytes(entry.bytes)}
                {!isWhole && ` · interrupted at ${formatShare(entry.share)}`}
              </span>
              <button type="button" onClick={() => void choose(entry.choice)}>
                {isWhole ? "Open" : "Resume"}
                <span class="hidden-text"> {name}</span>
              </button>
              <button type="button" class="quiet" onClick={() => void remove(entry).then(refresh)}>
                <Icon name="trash" />
                <span class="hidden-text">Delete {name}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
