/** Sessions that are held for the branches of conversations: a branch goes on where it was left. */
import type { Model, Session } from "plm-wasm";

/** A session to go on with. */
export interface Branch {
  readonly session: Session;
  /** The tokens to evaluate, at least one. */
  readonly rest: number[];
  readonly reusedTokens: number;
}

/** Sessions that are held at most, beside the one that is in use. */
const MOST_HELD = 4;

export class Branches {
  readonly #model: Model;
  /** The last one was used last. */
  #held: Session[] = [];
  /** Sessions that hold on to their rows, since the model cannot compute them again exactly. */
  readonly #restored = new WeakSet<Session>();

  constructor(model: Model) {
    this.#model = model;
  }

  /** Holds a session that was restored. */
  add(session: Session): void {
    this.#restored.add(session);
    this.#held.push(session);
  }

  /**
   * The session that has most of the tokens' beginning. If it goes on differently, that is another
   * branch: a fork leaves it as it is.
   */
  take(tokens: readonly number[]): Branch {
    let best: Session | undefined;
    let most = 0;
    for (const session of this.#held) {
      const common = countCommonStart(session.tokens, tokens);
      if (common > most) [best, most] = [session, common];
    }
    const session = best === undefined ? this.#model.createSession() : this.#goOn(best, most);
    this.#held = [...this.#held.filter((each) => each !== session), session];
    this.#makeRoom(session);
    return { session, rest: tokens.slice(most), reusedTokens: most };
  }

  #goOn(session: Session, length: number): Session {
    if (session.length === length) return session;
    const fork = session.fork();
    fork.truncate(length);
    if (this.#restored.has(session)) this.#restored.add(fork);
    return fork;
  }

  /** Lets go of sessions that were not used for longest, so that the one in use has room. */
  #makeRoom(used: Session): void {
    const { contextLength, cacheTokens } = this.#model.plan.options;
    const others = (): Session[] => this.#held.filter((session) => session !== used);
    const restored = (): Session[] => others().filter((session) => this.#restored.has(session));
    const inTheWay = (): Session | undefined => {
      const taken = restored().reduce((sum, { length }) => sum + length, contextLength);
      if (taken > cacheTokens) return restored()[0];
      return others().length > MOST_HELD ? others()[0] : undefined;
    };
    for (let least = inTheWay(); least !== undefined; least = inTheWay()) {
      // Its rows stay in the prefix cache until their room is needed.
      least.dispose();
      this.#held = this.#held.filter((session) => session !== least);
    }
  }

  dispose(): void {
    for (const session of this.#held) session.dispose();
    this.#held = [];
  }
}

/** How many of the tokens, except the last, others begin with. */
function countCommonStart(evaluated: Uint32Array, tokens: readonly number[]): number {
  const most = Math.min(evaluated.length, tokens.length - 1);
  let common = 0;
  while (common < most && evaluated[common] === tokens[common]) common++;
  return common;
}
