// A function in AWS's runtime client for Node, asked by events as function URLs send them.
import { readFile } from "node:fs/promises";
import { startRuntimeApi } from "./lambda-api.mjs";
import { lambdaClient, launch } from "./processes.mjs";

/** A recorded event. */
export async function eventOf(name) {
  return JSON.parse(await readFile(new URL(`events/${name}.json`, import.meta.url), "utf8"));
}

/**
 * Starts the function of a folder: `invoke` answers events, `ask` is a fetch of its URL. A client
 * that ends ends this process.
 */
export async function startFunction(root) {
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
  const command = [process.execPath, lambdaClient()];
  launch(command, { cwd: root, env }).ended.catch((error) => {
    console.log(`FAIL ${error.message}`);
    process.exit(1);
  });
  const get = await eventOf("health");
  const post = await eventOf("chat");
  const ask = (path, { method = "GET", body } = {}) => {
    const { requestContext, ...event } = method === "GET" ? get : post;
    const http = { ...requestContext.http, path };
    return api.invoke({
      ...{ ...event, rawPath: path, requestContext: { ...requestContext, http } },
      ...(body !== undefined && { body }),
    });
  };
  return { invoke: api.invoke, ask };
}
