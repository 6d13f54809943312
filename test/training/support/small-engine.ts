/** A small training engine, and what a few steps of it come to. */
import { type Batch, createBatch } from "../../../src/training/data/batches.js";
import {
  createTrainingEngine,
  type EngineOptions,
} from "../../../src/training/engine/create-engine.js";
import type { TrainingEngine } from "../../../src/training/engine/engine.js";
import { initializeParameters } from "../../../src/training/network/parameters.js";
import { checkTrainingConfig } from "../../../src/training/run/parse-config.js";
import { seededRandom } from "../../support/random.js";
import { smallConfig } from "./small-run.js";

const { model: config, batch, optimizer } = checkTrainingConfig(smallConfig());

/** An engine with random parameters. */
export async function createSmallEngine(
  threads: number,
  threadScript?: EngineOptions["threadScript"],
): Promise<TrainingEngine> {
  const { tokens, contextLength } = batch;
  const sizes = { tokens, contextLength, threads };
  const engine = await createTrainingEngine({ config, sizes, threadScript });
  const random = seededRandom(70);
  initializeParameters(engine.values, engine.parameters, 0.3, () => random() - 0.5);
  engine.valuesWritten();
  return engine;
}

/** Whole sequences of random tokens. */
export function smallBatch(seed: number): Batch {
  const random = seededRandom(seed);
  const filled = createBatch(batch.tokens);
  for (let t = 0; t < batch.tokens; t++) {
    filled.ids[t] = Math.floor(random() * config.vocabSize);
    filled.targets[t] = Math.floor(random() * config.vocabSize);
    filled.positions[t] = t % batch.contextLength;
  }
  return filled;
}

/** The losses and norms of a few steps, and all parameters after them. */
export function trainSteps(engine: TrainingEngine): readonly number[] {
  const figures: number[] = [];
  for (let step = 1; step <= 3; step++) {
    engine.clear();
    figures.push(engine.addBatch(smallBatch(step), 1 / batch.tokens).loss);
    figures.push(engine.update({ ...optimizer, step, rate: 0.01 }));
  }
  return [...figures, ...engine.values];
}
