/** What the page keeps in IndexedDB: conversations, and caches where there is no file system. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Conversation } from "../conversations/tree.js";
import { inform } from "../interface/notices.js";

interface Schema extends DBSchema {
  conversations: { key: string; value: Conversation };
  caches: { key: string; value: { readonly bytes: Blob; readonly savedMs: number } };
}

export type Database = IDBPDatabase<Schema>;

const REFUSED =
  "This browser does not let the page keep anything. Conversations are gone when it is closed.";

let opened: Promise<Database | undefined> | undefined;

/** The database; undefined where the browser refuses it, which is said once. */
export function openDatabase(): Promise<Database | undefined> {
  opened ??= open();
  return opened;
}

async function open(): Promise<Database | undefined> {
  try {
    return await openDB<Schema>("plm-chat", 1, {
      upgrade(database) {
        database.createObjectStore("conversations", { keyPath: "id" });
        database.createObjectStore("caches");
      },
    });
  } catch {
    inform(REFUSED);
    return undefined;
  }
}

/** Runs a transaction on it; a failure, such as a quota, is said once and yields undefined. */
export async function withDatabase<T>(
  use: (database: Database) => Promise<T>,
): Promise<T | undefined> {
  const database = await openDatabase();
  if (database === undefined) return undefined;
  try {
    return await use(database);
  } catch {
    inform(REFUSED);
    return undefined;
  }
}
