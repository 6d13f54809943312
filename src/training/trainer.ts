/** A training run: steps of the WSDC schedule, measured, logged and saved in checkpoints. */

import { now } from "../clock.js";
import { PlmError } from "../errors.js";
import { type Batch, BatchStream, createBatch } from "./data/batches.js";
import type { TokenizedText } from "./data/corpus.js";
import { Random } from "./data/random.js";
import type { TrainingEngine } from "./engine/engine.js";
import { evaluate } from "./evaluate.js";
import { initializeParameters } from "./network/parameters.js";
import type { BestLoss, Checkpoint } from "./run/checkpoint.js";
import type { Checkpoints, Resumed } from "./run/checkpoints.js";
import type { TrainingConfig } from "./run/config.js";
import type { Evaluation, LogLine } from "./run/log.js";
import { lastStableStep, learningRate, microBatches, phaseOf } from "./run/schedule.js";

/** The parts of a run. */
export interface TrainerParts {
  readonly config: TrainingConfig;
  /** The trainer sets its parameters. */
  readonly engine: TrainingEngine;
  /** The texts of the phases' mixes. */
  readonly texts: readonly TokenizedText[];
  /** The held-out text for `evaluation`. */
  readonly heldOut?: TokenizedText;
  readonly checkpoints: Checkpoints;
  /** Whether the best model so far is lost: the next one measured counts as the best. */
  readonly lacksBest?: boolean;
}

/** Callbacks of a run, which are awaited. */
export interface TrainerEvents {
  /** After every step. */
  readonly onStep?: (line: LogLine) => Promise<void> | void;
  /** At the least held-out loss so far, reached by the current parameters. */
  readonly onBest?: (line: LogLine) => Promise<void> | void;
  /** Makes a sample of the model's text, if the config asks for samples. */
  readonly onSample?: (prompt: string, tokens: number) => Promise<string>;
  /** Lets the event loop run, so that aborts arrive. */
  readonly onTurn?: () => Promise<void>;
}

/** How losses on held-out text are measured. */
interface Measure {
  readonly text: TokenizedText;
  readonly every: number;
  readonly stride: number;
}

export class Trainer {
  readonly #parts: TrainerParts;
  readonly #stream: BatchStream;
  readonly #batch: Batch;
  #step = 0;
  #tokens = 0;
  #best: BestLoss | undefined;

  constructor(parts: TrainerParts) {
    const { batch, seed } = parts.config;
    this.#parts = parts;
    const { contextLength, tokens } = batch;
    this.#stream = new BatchStream(parts.texts, { seed, contextLength });
    this.#batch = createBatch(tokens);
  }

  /** Updates done. */
  get step(): number {
    return this.#step;
  }

  /**
   * Sets the parameters from a checkpoint or, without one, from the seed. With a checkpoint the run
   * continues exactly as if it had not been interrupted. Returns the checkpoint. Throws as
   * `Checkpoints.load`.
   */
  async start(): Promise<Omit<Resumed, "checkpoint"> | undefined> {
    const { config, engine, checkpoints } = this.#parts;
    const resumed = await checkpoints.load();
    if (resumed === undefined) {
      const random = Random.of(config.seed, "initial weights");
      const normal = (): number => random.normal();
      initializeParameters(engine.values, engine.parameters, config.optimizer.initStd, normal);
      engine.valuesWritten();
      return undefined;
    }
    const { checkpoint, ...found } = resumed;
    for (const [key, tensor] of Object.entries(this.#tensors())) {
      tensor.set(checkpoint.tensors.get(key)!);
    }
    engine.valuesWritten();
    this.#stream.restore(checkpoint.stream);
    this.#step = checkpoint.step;
    this.#tokens = checkpoint.tokens;
    const measure = this.#measure();
    const { best } = checkpoint;
    const isComparable =
      best?.fingerprint === measure?.text.fingerprint && best?.stride === measure?.stride;
    this.#best = isComparable && !this.#parts.lacksBest ? best : undefined;
    // A best loss without its model must not count again.
    if (best !== undefined && this.#best === undefined) await checkpoints.save(this.#checkpoint());
    return found;
  }

  /**
   * Trains until the schedule ends. Throws TRAINING_DIVERGED, naming the step, if a loss or the
   * gradients are not finite. An abort finishes the step, writes a checkpoint, and rejects with its
   * reason.
   */
  async run(events: TrainerEvents = {}, signal?: AbortSignal): Promise<void> {
    const { config, checkpoints } = this.#parts;
    const { steps } = config.schedule;
    const kept = [lastStableStep(config.schedule), steps];
    let saved = this.#step;
    while (this.#step < steps) {
      const line = await this.#measured(this.#next(), events);
      await events.onStep?.(line);
      const isDue = this.#step % config.checkpoint.every === 0 || kept.includes(this.#step);
      await events.onTurn?.();
      if (isDue || (signal?.aborted && saved < this.#step)) {
        await checkpoints.save(this.#checkpoint());
        saved = this.#step;
      }
      signal?.throwIfAborted();
    }
  }

  /** One step: all its micro-batches, then an update. */
  #next(): LogLine {
    const { config, engine } = this.#parts;
    const { schedule, batch, optimizer, dropout, seed } = config;
    const startMs = now();
    const step = this.#step + 1;
    const count = microBatches(batch, schedule, step);
    this.#stream.useMix(config.phases[phaseOf(schedule, step)]);
    engine.clear();
    const scale = 1 / (count * batch.tokens);
    let loss = 0;
    const keys = Random.of(seed, `dropout of step ${step}`);
    for (let i = 0; i < count; i++) {
      this.#stream.fill(this.#batch);
      // Every token of the stream has a target.
      loss += engine.addBatch(this.#batch, scale, { share: dropout, key: keys.uint32() }).loss;
    }
    loss /= count * batch.tokens;
    if (!Number.isFinite(loss)) {
      throw new PlmError("TRAINING_DIVERGED", `step ${step}: expected a finite loss, got ${loss}`);
    }
    const rate = learningRate(schedule, step);
    const zeroShares = engine.zeroShares();
    const gradNorm = engine.update({ ...optimizer, step, rate });
    this.#step = step;
    this.#tokens += count * batch.tokens;
    const tokensPerSecond = (count * batch.tokens * 1000) / (now() - startMs);
    return { step, tokens: this.#tokens, loss, rate, gradNorm, zeroShares, tokensPerSecond };
  }

  /** Adds to the line what is due at its step: the held-out loss and a sample. */
  async #measured(line: LogLine, events: TrainerEvents): Promise<LogLine> {
    const { samples, schedule } = this.#parts.config;
    const isDue = ({ every }: { readonly every: number }): boolean =>
      line.step % every === 0 || line.step === schedule.steps;
    let measured = line;
    const measure = this.#measure();
    if (measure !== undefined && isDue(measure)) {
      measured = { ...measured, evaluation: this.#evaluate(measure) };
    }
    if (samples !== undefined && events.onSample !== undefined && isDue(samples)) {
      measured = { ...measured, sample: await events.onSample(samples.prompt, samples.tokens) };
    }
    const loss = measured.evaluation?.loss ?? Infinity;
    if (measure !== undefined && loss < (this.#best?.loss ?? Infinity)) {
      this.#best = { loss, fingerprint: measure.text.fingerprint, stride: measure.stride };
      await events.onBest?.(measured);
    }
    return measured;
  }

  /** How held-out losses are measured, if at all. */
  #measure(): Measure | undefined {
    const { config, heldOut: text } = this.#parts;
    return config.evaluation && text && { ...config.evaluation, text };
  }

  #evaluate({ text, stride }: Measure): Evaluation {
    const evaluation = evaluate(this.#parts.engine, text, stride);
    if (Number.isFinite(evaluation.loss)) return evaluation;
    const expected = `step ${this.#step}: expected a finite loss on held-out text`;
    throw new PlmError("TRAINING_DIVERGED", `${expected}, got ${evaluation.loss}`);
  }

  #tensors(): Record<string, Float32Array> {
    const { values, firstMoments, secondMoments } = this.#parts.engine;
    return { values, firstMoments, secondMoments };
  }

  #checkpoint(): Checkpoint {
    return {
      step: this.#step,
      tokens: this.#tokens,
      stream: this.#stream.state(),
      ...(this.#best && { best: this.#best }),
      tensors: new Map(Object.entries(this.#tensors())),
    };
  }
}
