/** What a person does with a conversation. */
import { conversationOf, current, putConversation } from "../conversations/conversations.js";
import { addTurn, latestEnd, type Turn } from "../conversations/tree.js";
import { model } from "../model/loading.js";
import { answer, running } from "./answer.js";

/** Says something and has it answered; without a text, the model goes on. */
export async function say(text: string): Promise<void> {
  const { id, head } = current.value;
  await sayAfter(id, head, text);
}

/** Says something else in a turn's place: a new branch. */
export async function edit({ parent }: Turn, text: string): Promise<void> {
  await sayAfter(current.value.id, parent, text);
}

async function sayAfter(id: string, parent: number | undefined, text: string): Promise<void> {
  const conversation = conversationOf(id);
  if (model.value === undefined || running.value !== undefined || !conversation) return;
  if (text !== "") {
    void putConversation(addTurn(conversation, { parent, role: "user", text }, Date.now()));
  }
  await answer(model.value, id);
}

/** Has the turn before an answer answered once more: a new branch. */
export async function regenerate({ parent }: Turn): Promise<void> {
  const conversation = current.value;
  if (model.value === undefined || running.value !== undefined) return;
  void putConversation({ ...conversation, head: parent });
  await answer(model.value, conversation.id);
}

/** Shows the branch through a turn, as far as it was written last. */
export async function showBranch(turn: Turn): Promise<void> {
  if (running.value !== undefined) return;
  const conversation = current.value;
  await putConversation({ ...conversation, head: latestEnd(conversation.turns, turn.id) });
}
