/**
 * Prints how many bytes the heap grows in 100 steps, --expose-gc: the median of seven such times
 * from step 1,300 on, since what the engine compiles or drops in one of them is its own.
 */
import { Tokenizer } from "../../../src/tokenizer/tokenizer.js";
import { trainTokenizer } from "../../../src/tokenizer/train.js";
import { splitDocuments, tokenizeDocuments } from "../../../src/training/data/corpus.js";
import { createTrainingEngine } from "../../../src/training/engine/create-engine.js";
import { Checkpoints } from "../../../src/training/run/checkpoints.js";
import { checkTrainingConfig } from "../../../src/training/run/parse-config.js";
import { Trainer } from "../../../src/training/trainer.js";
import { memoryStore } from "./memory-store.js";
import { madeUpText, smallConfig } from "./small-run.js";

const config = checkTrainingConfig(smallConfig({ steps: 2001, checkpoint: 1e6 }));
const documents = splitDocuments("text", madeUpText(200), "<|endoftext|>");
const vocabulary = await trainTokenizer(documents, { vocabSize: config.tokenizer.vocabSize });
const tokenizer = new Tokenizer(vocabulary);
const text = tokenizeDocuments("text", documents, tokenizer, vocabulary.eosTokenId);
const { tokens, contextLength } = config.batch;
const sizes = { tokens, contextLength, threads: 1 };
const engine = await createTrainingEngine({ config: config.model, sizes });
const checkpoints = new Checkpoints(memoryStore(), config);
const trainer = new Trainer({ config, engine, texts: [text], checkpoints });
await trainer.start();
const used: number[] = [];
await trainer.run({
  onStep: ({ step }) => {
    if (step < 1300 || step % 100 > 0) return;
    globalThis.gc!();
    used.push(process.memoryUsage().heapUsed);
  },
});
const growths = used.slice(1).map((bytes, i) => bytes - used[i]);
process.stdout.write(String(growths.sort((a, b) => a - b)[growths.length >> 1]));
