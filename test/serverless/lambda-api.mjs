// AWS Lambda's Runtime API, which a function's runtime asks for invocations and answers to:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const TYPE = "application/vnd.awslambda.http-integration-response";
const ARN = "arn:aws:lambda:eu-central-1:123456789012:function:plm";
const DEADLINE_MS = 60_000;

/** Between a streamed response's status and headers, as JSON, and its body. */
const DELIMITER = Buffer.alloc(8);

/**
 * A streamed response of a function URL as a Response. All of it is taken as it comes, whether
 * anybody reads it or not.
 */
async function responseOf(request) {
  if (request.headers["content-type"] !== TYPE) {
    throw new Error(`expected ${TYPE}, got ${request.headers["content-type"]}`);
  }
  const chunks = request[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.indexOf(DELIMITER) < 0) {
    const { done, value } = await chunks.next();
    if (done) throw new Error(`expected a delimiter, got ${head}`);
    head = Buffer.concat([head, value]);
  }
  const at = head.indexOf(DELIMITER);
  const { statusCode: status, headers } = JSON.parse(head.subarray(0, at));
  const body = new ReadableStream({
    start: async (controller) => {
      controller.enqueue(head.subarray(at + DELIMITER.length));
      for (let step = await chunks.next(); !step.done; step = await chunks.next()) {
        controller.enqueue(step.value);
      }
      const error = request.trailers["lambda-runtime-function-error-body"];
      if (error === undefined) controller.close();
      else controller.error(new Error(Buffer.from(error, "base64").toString()));
    },
  });
  return new Response(body, { status, headers });
}

async function textOf(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

/**
 * Starts the API. `invoke` resolves to what the function answers an event with; one event is
 * handed out at a time, as to an environment of Lambda.
 */
export async function startRuntimeApi() {
  const waiting = [];
  const running = new Map();
  let next;
  const handOut = () => {
    if (next === undefined || waiting.length === 0) return;
    const { event, ...settle } = waiting.shift();
    const id = randomUUID();
    running.set(id, settle);
    next.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": id,
      "lambda-runtime-deadline-ms": Date.now() + DEADLINE_MS,
      "lambda-runtime-invoked-function-arn": ARN,
    });
    next.end(JSON.stringify(event));
    next = undefined;
  };
  const server = createServer(async (request, response) => {
    const [, id, what] = /\/runtime\/(?:invocation\/)?([^/]+)(?:\/(\w+))?$/.exec(request.url);
    if (id === "next") {
      next = response;
      return handOut();
    }
    const invocation = running.get(id) ?? waiting[0];
    running.delete(id);
    if (what === "response") invocation.resolve(await responseOf(request).catch(invocation.reject));
    else invocation.reject(new Error(await textOf(request)));
    if (!request.readableEnded) await once(request, "end");
    response.writeHead(202).end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${server.address().port}`,
    invoke: (event) =>
      new Promise((resolve, reject) => {
        waiting.push({ event, resolve, reject });
        handOut();
      }),
    close: () => server.close(),
  };
}
