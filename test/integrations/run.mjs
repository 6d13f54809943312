// Calls the libraries that the package's integrations are for, with a model that ships, and
// with one of random weights for long prompts.
import { createPlm } from "../../build/src/ai-sdk/index.js";
import { createRandomModel, DEFAULT_RANDOM_MODEL } from "../../build/src/cli/random-model.js";
import { loadModel } from "../../build/src/index.js";
import { MODEL, runChecks } from "../runtimes/checks.mjs";
import { checksOf } from "./ai-sdk.mjs";
import { checksOf as earlierChecksOf } from "./earlier.mjs";

const model = await loadModel(MODEL);
const random = createRandomModel({ ...DEFAULT_RANDOM_MODEL, layers: 2, context: 4096 });
const long = createPlm({ model: await loadModel(random) });
const parts = { plm: createPlm({ model }), model, long };
const { failed } = await runChecks({ ...checksOf(parts), ...earlierChecksOf(parts) });
process.exit(failed === 0 ? 0 : 1);
