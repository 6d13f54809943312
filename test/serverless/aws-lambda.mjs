// examples/aws-lambda in AWS's runtime client for Node, with events as function URLs send them.
import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runChecks } from "../runtimes/checks.mjs";
import { answerChecks } from "./answers.mjs";
import { deploy, MODEL } from "./deployment.mjs";
import { startRuntimeApi } from "./lambda-api.mjs";
import { expectedIn, installed, launch } from "./processes.mjs";

const eventOf = async (name) =>
  JSON.parse(await readFile(new URL(`events/${name}.json`, import.meta.url), "utf8"));

const root = deploy("aws-lambda");
const api = await startRuntimeApi();
const env = {
  ...process.env,
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
  AWS_LAMBDA_FUNCTION_NAME: "plm",
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/plm",
  AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/26/[$LATEST]0123456789abcdef",
  AWS_LAMBDA_RUNTIME_API: api.host,
  LAMBDA_TASK_ROOT: root,
  _HANDLER: "index.handler",
};
const command = [process.execPath, installed("aws-lambda-ric/index.mjs")];
launch(command, { cwd: root, env }).ended.catch((error) => {
  console.log(`FAIL ${error.message}`);
  process.exit(1);
});

const get = await eventOf("health");
const post = await eventOf("chat");

/** A fetch of the function's URL. */
function ask(path, { method = "GET", body } = {}) {
  const { requestContext, ...event } = method === "GET" ? get : post;
  const http = { ...requestContext.http, path };
  return api.invoke({
    ...{ ...event, rawPath: path, requestContext: { ...requestContext, http } },
    ...(body !== undefined && { body }),
  });
}

const expected = expectedIn([process.execPath], {});
const textOf = (data) => JSON.parse(data).choices[0].delta.content ?? "";
const { failed } = await runChecks({
  ...answerChecks({
    ask,
    addModel: () => copyFile(MODEL, join(root, "model.gguf")),
    expected,
    // Lambda goes on, whatever clients do.
    hangsUp: false,
  }),
  "recorded events": async () => {
    const answer = async (name) => {
      const response = await api.invoke(await eventOf(name));
      return [response.status, response.headers.get("content-type"), await response.text()];
    };
    const [status, type, text] = await answer("chat");
    assert.deepEqual([status, type], [200, "application/json"]);
    assert.equal(JSON.parse(text).choices[0].message.content, expected);
    const [, streamType, events] = await answer("stream");
    assert.equal(streamType, "text/event-stream; charset=utf-8");
    const data = events.match(/^data: \{.*$/gm).map((line) => line.slice("data: ".length));
    assert.equal(data.map(textOf).join(""), expected);
    assert.deepEqual(await answer("health"), [200, "application/json", '{"status":"ok"}']);
    assert.equal((await answer("bad-body"))[0], 400);
  },
  "a stream comes in pieces": async () => {
    const response = await api.invoke(await eventOf("stream"));
    let pieces = 0;
    for await (const { length } of response.body) if (length > 0) pieces++;
    assert.ok(pieces > 12, `${pieces} pieces`);
  },
});
process.exit(failed === 0 ? 0 : 1);
