// A page that leaves the threads' script to the package.
import { loadModel } from "plm-wasm";
import { show } from "./show.mjs";

show((options) => loadModel("/plm-test.gguf", options));
