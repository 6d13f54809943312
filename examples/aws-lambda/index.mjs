/** An AWS Lambda function that streams its answers, with a model that is deployed beside it. */
import { Hono } from "hono";
import { streamHandle } from "hono/aws-lambda";
import { loadModel } from "plm-wasm";
import { createHandler } from "plm-wasm/server";

/** Called with an environment's first request. */
const model = () => loadModel(new URL("model.gguf", import.meta.url));

const answer = createHandler({ model, log: console.log });
const app = new Hono().all("*", ({ req }) => answer(req.raw));
export const handler = streamHandle(app);
