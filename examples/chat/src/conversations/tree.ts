/** A conversation as a tree of turns: an edited question or another answer is a new branch. */

export type Role = "user" | "assistant";

/** What an answer took. */
export interface TurnFigures {
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Tokens of the prompt that were evaluated, and those that were there already. */
  readonly evaluatedTokens: number;
  readonly reusedTokens: number;
  /** Of the feed-forward neurons, 0 to 1: those that were zero, and not multiplied. */
  readonly skippedShare: number | undefined;
  readonly finishReason: string;
  readonly seed: number;
}

export interface Turn {
  readonly id: number;
  /** The turn that this one follows; undefined for the first. */
  readonly parent: number | undefined;
  readonly role: Role;
  readonly text: string;
  readonly figures?: TurnFigures;
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly updatedMs: number;
  readonly turns: readonly Turn[];
  /** The last turn of the branch that is shown; undefined while there is none. */
  readonly head: number | undefined;
}

const TITLE_LENGTH = 48;

export function emptyConversation(id: string, updatedMs: number): Conversation {
  return { id, title: "New conversation", updatedMs, turns: [], head: undefined };
}

/** The turns from the first to one, in order. */
export function pathTo(turns: readonly Turn[], id: number | undefined): Turn[] {
  const path: Turn[] = [];
  for (let at = id; at !== undefined; ) {
    const turn: Turn = turnOf(turns, at);
    path.unshift(turn);
    at = turn.parent;
  }
  return path;
}

export function turnOf(turns: readonly Turn[], id: number): Turn {
  const turn = turns.find((each) => each.id === id);
  if (turn === undefined) throw new RangeError(`turn: expected one of the conversation, got ${id}`);
  return turn;
}

/** The turns that follow the same one, this one among them. */
export function siblingsOf(turns: readonly Turn[], { parent, role }: Turn): Turn[] {
  return turns.filter((each) => each.parent === parent && each.role === role);
}

/** The end of the branch through a turn that was written last. */
export function latestEnd(turns: readonly Turn[], id: number): number {
  let end = id;
  for (const turn of turns) if (turn.parent === end) end = latestEnd(turns, turn.id);
  return end;
}

/** The conversation with one more turn, which is its head. */
export function addTurn(
  conversation: Conversation,
  turn: Omit<Turn, "id">,
  updatedMs: number,
): Conversation {
  const { turns } = conversation;
  const id = 1 + turns.reduce((most, each) => Math.max(most, each.id), 0);
  const title = turns.length === 0 ? titleOf(turn.text) : conversation.title;
  return { ...conversation, title, updatedMs, turns: [...turns, { ...turn, id }], head: id };
}

function titleOf(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  if (line === "") return "New conversation";
  return line.length <= TITLE_LENGTH ? line : `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…`;
}
