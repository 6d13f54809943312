// One cold start of examples/aws-lambda in AWS's runtime client: node lambda-once.mjs MODEL.
// Counted: from the start of the process to the first text, less what a function takes that does
// nothing.
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deploy } from "../../test/serverless/deployment.mjs";
import { startFunction } from "../../test/serverless/lambda.mjs";
import { firstTextMs } from "./answers.mjs";

const NOTHING = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const answer = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
  answer.write("nothing");
  answer.end();
});`;

const empty = deploy("aws-lambda");
await writeFile(join(empty, "index.mjs"), NOTHING);
const emptyMs = performance.now();
await (await (await startFunction(empty)).ask("/")).text();
const runtimeMs = performance.now() - emptyMs;

const root = deploy("aws-lambda");
await copyFile(process.argv[2], join(root, "model.gguf"));
const startMs = performance.now();
const { ask } = await startFunction(root);
const allMs = (await firstTextMs(ask, "cold", startMs)) - runtimeMs;
const warmMs = await firstTextMs(ask, "warm");
console.log(JSON.stringify({ allMs, warmMs, runtimeMs, threads: 1 }));
process.exit(0);
