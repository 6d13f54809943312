/** The output of a response, built up from what comes, and the events that tell of it. */
import type { TokenLogprob } from "../../../generation/logprobs.js";
import type { Tokenizer } from "../../../tokenizer/tokenizer.js";
import type { AnswerEvent } from "../../answer.js";
import { createIdentifier } from "../../identifiers.js";
import { toContent } from "../logprobs.js";

/** An event of a streamed response, without its number. */
export type ResponseEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

type Call = (AnswerEvent & { type: "call" })["call"];

/** What is being written: a message or a call. */
type OpenItem =
  | { readonly kind: "message"; readonly id: string; text: string; readonly logprobs: object[] }
  | { readonly kind: "call"; readonly id: string; readonly head: object; text: string };

export class ResponseWriter {
  /** Complete items. */
  readonly output: object[] = [];
  readonly #tokenizer: Tokenizer;
  /** Alternatives of each token; undefined without log probabilities. */
  readonly #alternatives: number | undefined;
  #open: OpenItem | undefined;

  constructor(tokenizer: Tokenizer, alternatives: number | undefined) {
    this.#tokenizer = tokenizer;
    this.#alternatives = alternatives;
  }

  /** Appends text to the message, which it begins if need be. */
  *text(delta: string, found: readonly TokenLogprob[]): Generator<ResponseEvent> {
    let item = this.#open;
    if (item?.kind !== "message") {
      yield* this.finish("completed");
      item = { kind: "message", id: createIdentifier("msg_"), text: "", logprobs: [] };
      this.#open = item;
      yield this.#added({ ...this.#message("in_progress", item), content: [] });
      const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
      yield { type: "response.content_part.added", ...this.#place, content_index: 0, part };
    }
    const logprobs =
      this.#alternatives === undefined ? [] : toContent(this.#tokenizer, found, this.#alternatives);
    item.text += delta;
    item.logprobs.push(...logprobs);
    const place = { ...this.#place, content_index: 0 };
    yield { type: "response.output_text.delta", ...place, delta, logprobs };
  }

  /** A call begins, goes on or is complete. */
  *call(call: Call): Generator<ResponseEvent> {
    if (call.type === "start") {
      yield* this.finish("completed");
      const head = { type: "function_call", call_id: call.id, name: call.name };
      const item: OpenItem = { kind: "call", id: createIdentifier("fc_"), head, text: "" };
      this.#open = item;
      yield this.#added({ id: item.id, ...head, arguments: "", status: "in_progress" });
    } else if (call.type === "arguments") {
      if (this.#open !== undefined) this.#open.text += call.text;
      const type = "response.function_call_arguments.delta";
      yield { type, ...this.#place, delta: call.text };
    } else yield* this.finish("completed");
  }

  /** Ends the item that is being written. */
  *finish(status: "completed" | "incomplete"): Generator<ResponseEvent> {
    const item = this.#open;
    if (item === undefined) return;
    const place = this.#place;
    let done: object;
    if (item.kind === "call") {
      done = { id: item.id, ...item.head, arguments: item.text, status };
      const type = "response.function_call_arguments.done";
      yield { type, ...place, arguments: item.text };
    } else {
      done = this.#message(status, item);
      const { text, logprobs } = item;
      const at = { ...place, content_index: 0 };
      yield { type: "response.output_text.done", ...at, text, logprobs };
      const part = partOf(item);
      yield { type: "response.content_part.done", ...at, part };
    }
    yield { type: "response.output_item.done", output_index: this.output.length, item: done };
    this.output.push(done);
    this.#open = undefined;
  }

  get #place(): object {
    return { item_id: this.#open?.id, output_index: this.output.length };
  }

  #added(item: object): ResponseEvent {
    return { type: "response.output_item.added", output_index: this.output.length, item };
  }

  #message(status: string, item: OpenItem & { kind: "message" }): object {
    const { id } = item;
    return { id, type: "message", role: "assistant", status, content: [partOf(item)] };
  }
}

function partOf({ text, logprobs }: OpenItem & { kind: "message" }): object {
  return { type: "output_text", text, annotations: [], logprobs };
}
