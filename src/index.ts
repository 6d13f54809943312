/** The public interface of plm-wasm. */
export { type ErrorCode, PlmError } from "./errors.js";
