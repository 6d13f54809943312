/**
 * `plm-wasm/server`: a model behind HTTP, for every runtime that has Request and Response.
 */
import "../web-types.js";

export { createHandler, type Handler } from "./handler.js";
export type { SessionOutcome } from "./kept-session.js";
export type { HandlerClock, HandlerOptions, RequestLog } from "./options.js";
