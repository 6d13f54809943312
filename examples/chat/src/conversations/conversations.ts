/** All conversations, newest first, and the one that is shown; kept in the browser. */
import { computed, signal } from "@preact/signals";
import { withDatabase } from "../storage/database.js";
import { removeCache } from "./caches.js";
import { type Conversation, emptyConversation } from "./tree.js";

export const conversations = signal<readonly Conversation[]>([]);
export const currentId = signal("");

/** The conversation that is shown. */
export const current = computed(
  () => conversations.value.find(({ id }) => id === currentId.value) ?? conversations.value[0],
);

/** Reads what is kept, and shows the newest unless something was said meanwhile. */
export async function readConversations(): Promise<void> {
  const kept = (await withDatabase((database) => database.getAll("conversations"))) ?? [];
  const isUnused = current.value.turns.length === 0;
  const known = new Set(conversations.value.map(({ id }) => id));
  const added = kept.filter(({ id }) => !known.has(id));
  added.sort((a, b) => b.updatedMs - a.updatedMs);
  conversations.value = [...conversations.value, ...added];
  if (isUnused && added.length > 0) currentId.value = added[0].id;
}

/** Shows an empty conversation, which is kept when something was said. */
export function startConversation(): void {
  const unused = conversations.value.find(({ turns }) => turns.length === 0);
  const next = unused ?? emptyConversation(crypto.randomUUID(), Date.now());
  if (unused === undefined) conversations.value = [next, ...conversations.value];
  currentId.value = next.id;
}

export function conversationOf(id: string): Conversation | undefined {
  return conversations.value.find((each) => each.id === id);
}

/** Takes over a changed conversation, and keeps it. */
export async function putConversation(changed: Conversation): Promise<void> {
  if (conversationOf(changed.id) === undefined) return;
  conversations.value = conversations.value.map((each) =>
    each.id === changed.id ? changed : each,
  );
  await withDatabase((database) => database.put("conversations", changed));
}

/** Forgets a conversation and its cache. */
export async function deleteConversation(id: string): Promise<void> {
  conversations.value = conversations.value.filter((each) => each.id !== id);
  if (currentId.value === id) {
    if (conversations.value.length === 0) startConversation();
    else currentId.value = conversations.value[0].id;
  }
  await withDatabase((database) => database.delete("conversations", id));
  await removeCache(id);
}
