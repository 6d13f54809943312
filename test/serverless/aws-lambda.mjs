// examples/aws-lambda in AWS's runtime client for Node, with events as function URLs send them.
import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { runChecks } from "../runtimes/checks.mjs";
import { answerChecks } from "./answers.mjs";
import { deploy, MODEL } from "./deployment.mjs";
import { eventOf, startFunction } from "./lambda.mjs";
import { expectedIn } from "./processes.mjs";

const root = deploy("aws-lambda");
const { invoke, ask } = await startFunction(root);
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
      const response = await invoke(await eventOf(name));
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
    const response = await invoke(await eventOf("stream"));
    let pieces = 0;
    for await (const { length } of response.body) if (length > 0) pieces++;
    assert.ok(pieces > 12, `${pieces} pieces`);
  },
});
process.exit(failed === 0 ? 0 : 1);
