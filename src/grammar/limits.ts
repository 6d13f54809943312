/** How large an automaton may become, so that hostile patterns and schemas are refused quickly. */
import { invalidArgument, type PlmError } from "../errors.js";

/** The most states of an automaton over code points, deterministic or not. */
export const MOST_STATES = 20_000;

/** The most states and edges of an automaton over bytes. */
export const MOST_BYTE_STATES = 50_000;
export const MOST_BYTE_EDGES = 200_000;

/** The most steps, such as visits of an edge, that making one automaton may take. */
export const MOST_STEPS = 3_000_000;

/** The error of a pattern, a schema or a grammar that is too large. */
export function tooLarge(what: string): PlmError {
  return invalidArgument("responseFormat", "a smaller grammar", what);
}

/** Counts steps, and throws when they are too many. */
export class Budget {
  #left: number;

  constructor(steps: number = MOST_STEPS) {
    this.#left = steps;
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw tooLarge("an automaton that takes too many steps to make");
  }
}

/** Throws for more states than an automaton over code points may have. */
export function checkStates(count: number): void {
  if (count > MOST_STATES) throw tooLarge(`an automaton of more than ${MOST_STATES} states`);
}
