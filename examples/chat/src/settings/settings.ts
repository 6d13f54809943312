/** How the model answers; kept in the browser. */
import { signal } from "@preact/signals";
import type { GenerateOptions } from "plm-wasm";
import { readPreference, writePreference } from "../storage/preference.js";

export interface Settings {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly maxTokens: number;
  /** Undefined: another one each time. */
  readonly seed: number | undefined;
  /** Undefined: as many as are fastest. Counts when a model is loaded. */
  readonly threads: number | undefined;
  readonly system: string;
}

export const DEFAULTS: Settings = {
  temperature: 0.6,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repetitionPenalty: 1.1,
  maxTokens: 400,
  seed: undefined,
  threads: undefined,
  system: "",
};

export const settings = signal<Settings>({ ...DEFAULTS, ...readPreference<Settings>("settings") });

export function changeSettings(changes: Partial<Settings>): void {
  settings.value = { ...settings.value, ...changes };
  writePreference("settings", settings.value);
}

export function resetSettings(): void {
  settings.value = DEFAULTS;
  writePreference("settings", undefined);
}

/** What of it `generate` takes. */
export function generateOptions(): GenerateOptions {
  const { system: _, threads: __, seed, ...sampling } = settings.value;
  return { ...sampling, ...(seed !== undefined && { seed }) };
}
