/** An AWS Lambda function that streams its answers, with a model that is deployed beside it. */
import { Hono } from "hono";
import { streamHandle } from "hono/aws-lambda";
import { loadModel } from "plm-wasm";
import { createHandler } from "plm-wasm/server";

const file = new URL("model.gguf", import.meta.url);

/** Called with an environment's first request. */
const model = () => loadModel(file, { contextLength: 2048 });

const handle = createHandler({ model, log: console.log });
const app = new Hono().all("*", ({ req }) => handle(req.raw));
export const handler = streamHandle(app);
