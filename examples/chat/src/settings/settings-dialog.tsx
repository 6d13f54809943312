/** The dialog of the settings. Every change counts at once, for the next answer. */
import { useId } from "preact/hooks";
import { Dialog } from "../interface/dialog.js";
import { isChat, phase } from "../model/loading.js";
import { changeSettings, resetSettings, type Settings, settings } from "./settings.js";

type NumberName = Exclude<keyof Settings, "system">;

interface Field {
  readonly name: NumberName;
  readonly label: string;
  readonly hint: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Whether nothing may be entered, and what that means. */
  readonly empty?: string;
}

const SAMPLING: readonly Field[] = [
  {
    ...{ name: "temperature", label: "Temperature", min: 0, max: 2, step: 0.05 },
    hint: "Low is sure of itself, high is surprising; 0 always takes the likeliest token.",
  },
  {
    ...{ name: "topK", label: "Top-k", min: 0, max: 200, step: 1 },
    hint: "Only so many of the likeliest tokens; 0 for all.",
  },
  {
    ...{ name: "topP", label: "Top-p", min: 0, max: 1, step: 0.01 },
    hint: "Only the likeliest tokens that together have this probability.",
  },
  {
    ...{ name: "minP", label: "Min-p", min: 0, max: 1, step: 0.01 },
    hint: "Only tokens at least this likely, compared with the likeliest.",
  },
  {
    ...{ name: "repetitionPenalty", label: "Repetition penalty", min: 1, max: 2, step: 0.05 },
    hint: "Above 1, words that were used lately come less often.",
  },
];

const LIMITS: readonly Field[] = [
  {
    ...{ name: "maxTokens", label: "Longest answer", min: 1, max: 4096, step: 1 },
    hint: "In tokens.",
  },
  {
    ...{ name: "seed", label: "Seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 },
    ...{ hint: "The same seed gives the same answer.", empty: "random" },
  },
  {
    ...{ name: "threads", label: "Threads", min: 1, max: 64, step: 1 },
    ...{ hint: "Counts when a model is loaded.", empty: "fastest" },
  },
];

function NumberField({ field }: { field: Field }) {
  const id = useId();
  const { name, label, hint, min, max, step, empty } = field;
  const onChange = ({ currentTarget: input }: { currentTarget: HTMLInputElement }): void => {
    const isEmpty = input.value === "" && empty !== undefined;
    if (isEmpty) changeSettings({ [name]: undefined });
    else if (input.value !== "" && input.checkValidity()) {
      changeSettings({ [name]: input.valueAsNumber });
    } else input.value = String(settings.value[name] ?? "");
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type="number"
        inputMode="decimal"
        {...{ min, max, step: step < 1 ? "any" : step }}
        placeholder={empty}
        value={settings.value[name] ?? ""}
        aria-describedby={`${id}-hint`}
        onChange={onChange}
      />
      <p id={`${id}-hint`}>{hint}</p>
    </div>
  );
}

export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const id = useId();
  const isText = phase.value.name === "ready" && !isChat.value;
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div class="field wide">
        <label for={id}>System prompt</label>
        <textarea
          id={id}
          name="system"
          rows={3}
          value={settings.value.system}
          aria-describedby={`${id}-hint`}
          onChange={({ currentTarget }) => changeSettings({ system: currentTarget.value })}
        />
        <p id={`${id}-hint`}>
          {isText
            ? "This model continues texts and takes no system prompt."
            : "What the model is told before the first message."}
        </p>
      </div>
      <fieldset>
        <legend>How tokens are chosen</legend>
        {SAMPLING.map((field) => (
          <NumberField key={field.name} field={field} />
        ))}
      </fieldset>
      <fieldset>
        <legend>Limits</legend>
        {LIMITS.map((field) => (
          <NumberField key={field.name} field={field} />
        ))}
      </fieldset>
      <footer>
        <button type="button" onClick={resetSettings}>
          Reset all
        </button>
      </footer>
    </Dialog>
  );
}
