/** The model's life in the page: chosen, planned, loaded, ready; one at a time. */
import { computed, signal } from "@preact/signals";
import {
  type LoadModelOptions,
  type LoadProgress,
  loadModel,
  type Model,
  type ModelSource,
} from "plm-wasm";
import { isChatModel } from "../chat/prompt.js";
import { inform, reportError } from "../interface/notices.js";
import { settings } from "../settings/settings.js";
import { readPreference, writePreference } from "../storage/preference.js";
import { type LastingChoice, type ModelChoice, nameOf, sourceOf } from "./choice.js";
import { explain } from "./explain.js";
import { keepFile } from "./kept-files.js";
import { layoutOptions, type Plan, planOf } from "./plan.js";

export type Phase =
  | { readonly name: "start" }
  | { readonly name: "reading"; readonly choice: ModelChoice }
  | { readonly name: "planned"; readonly choice: ModelChoice; readonly plan: Plan }
  | { readonly name: "loading"; readonly choice: ModelChoice }
  | { readonly name: "ready"; readonly choice: ModelChoice; readonly model: Model };

export const phase = signal<Phase>({ name: "start" });
export const progress = signal<LoadProgress | undefined>(undefined);
export const model = computed(() => (phase.value.name === "ready" ? phase.value.model : undefined));

/** Whether the model answers in turns; others continue a text. */
export const isChat = computed(() => model.value !== undefined && isChatModel(model.value));

/** What was loaded last, and whether the page was closed before that had ended. */
interface LastLoad {
  readonly choice: LastingChoice;
  readonly contextLength: number | undefined;
  readonly hasEnded: boolean;
}

let source: ModelSource | undefined;
let running: AbortController | undefined;

const sourceOptions = (choice: ModelChoice): LoadModelOptions =>
  choice.kind === "url" ? { store: true } : {};

/** Reads the header of a model and shows the plan. */
export async function choose(choice: ModelChoice): Promise<void> {
  running?.abort();
  phase.value = { name: "reading", choice };
  await attempt(async (signal) => {
    source = await sourceOf(choice);
    const options = { ...layoutOptions(undefined), ...sourceOptions(choice), signal };
    const plan = await planOf(source, options);
    signal.throwIfAborted();
    phase.value = { name: "planned", choice, plan };
  });
}

/** Plans the chosen model again, with another context length. */
export async function planAgain(contextLength: number): Promise<void> {
  const { value } = phase;
  if (value.name !== "planned" || source === undefined) return;
  const { choice } = value;
  const opened = source;
  await attempt(async (signal) => {
    const options = { ...layoutOptions(contextLength), ...sourceOptions(choice), signal };
    const plan = await planOf(opened, options);
    phase.value = { name: "planned", choice, plan };
  });
}

/** Loads the planned model; a picked file is kept in the browser if that is wished. */
export async function load(isKept: boolean): Promise<void> {
  const { value } = phase;
  if (value.name !== "planned") return;
  await loadChoice(value.choice, value.plan.contextLength, isKept);
}

async function loadChoice(
  choice: ModelChoice,
  contextLength: number | undefined,
  isKept: boolean,
): Promise<void> {
  progress.value = undefined;
  phase.value = { name: "loading", choice };
  await attempt(async (signal) => {
    const lasting = await lastingChoice(choice, isKept);
    remember(lasting, contextLength, false);
    try {
      source ??= await sourceOf(choice);
      const loaded = await loadModel(source, {
        ...layoutOptions(contextLength),
        ...sourceOptions(choice),
        ...(settings.value.threads !== undefined && { threads: settings.value.threads }),
        worker: true,
        onProgress: (now) => {
          progress.value = now;
        },
        signal,
      });
      sayWhatIsMissing(loaded);
      phase.value = { name: "ready", choice, model: loaded };
    } finally {
      remember(lasting, contextLength, true);
    }
  });
}

/** Gives up what is being read or loaded. */
export function cancel(): void {
  running?.abort();
  backToStart();
}

/** Ends the model. */
export function unload(): void {
  model.value?.dispose();
  writePreference("model", undefined);
  backToStart();
}

/** Loads what the last visit had, unless that ended while it loaded, which is said. */
export async function loadLast(): Promise<void> {
  const last = readPreference<LastLoad>("model");
  if (last === undefined) return;
  const { choice, contextLength, hasEnded } = last;
  if (hasEnded) {
    if (phase.value.name === "start") await loadChoice(choice, contextLength, false);
    return;
  }
  const more =
    choice.kind === "url" ? " What was downloaded is kept: choose it to go on from there." : "";
  inform(`The page was closed while ${nameOf(choice)} was loading.${more}`);
}

async function attempt(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  running = controller;
  try {
    await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return;
    reportError(explain(error));
    backToStart();
  } finally {
    if (running === controller) running = undefined;
  }
}

function backToStart(): void {
  source = undefined;
  phase.value = { name: "start" };
}

/** The choice that the next visit can make; a file that cannot be kept is used all the same. */
async function lastingChoice(
  choice: ModelChoice,
  isKept: boolean,
): Promise<LastingChoice | undefined> {
  if (choice.kind !== "file") return choice;
  if (!isKept) return undefined;
  try {
    await keepFile(choice.file);
    return { kind: "kept", name: choice.file.name };
  } catch (error) {
    inform(explain(error));
    return undefined;
  }
}

function remember(
  choice: LastingChoice | undefined,
  contextLength: number | undefined,
  hasEnded: boolean,
): void {
  const last: LastLoad | undefined = choice && { choice, contextLength, hasEnded };
  writePreference("model", last);
}

function sayWhatIsMissing(loaded: Model): void {
  if (!globalThis.crossOriginIsolated) {
    inform(
      "This page is not cross-origin isolated, so one thread computes. " +
        "A host that sends the headers named in the page's README gives it more.",
    );
  } else if (loaded.threadFailure !== undefined) {
    inform(`Fewer threads compute than could: ${loaded.threadFailure.message}`);
  }
}
