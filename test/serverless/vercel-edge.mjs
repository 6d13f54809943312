// examples/vercel-edge in the edge runtime.
import { readFile } from "node:fs/promises";
import { runServer } from "edge-runtime";
import { runChecks } from "../runtimes/checks.mjs";
import { answerChecks } from "./answers.mjs";
import { MODEL, startSite } from "./deployment.mjs";
import { bundleEdge, createEdge } from "./edge.mjs";
import { expectedIn } from "./processes.mjs";

const OPTIONS = { contextLength: 512, cacheTokens: 1024, maxSequences: 2 };

const site = await startSite(await readFile(MODEL));
const { code, modules } = await bundleEdge();
const runtime = createEdge(modules, { MODEL_URL: site.url });
runtime.evaluate(code);
const server = await runServer({ runtime, host: "127.0.0.1", port: 0 });
const { failed } = await runChecks(
  answerChecks({
    ask: (path, init) => fetch(new URL(path, server.url), init),
    addModel: site.addModel,
    expected: expectedIn([process.execPath], { variant: "simd", ...OPTIONS }),
  }),
);
site.close();
process.exit(failed === 0 ? 0 : 1);
