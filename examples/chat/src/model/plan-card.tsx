/** The memory plan of a model, before anything of it is loaded. */
import { useState } from "preact/hooks";
import { formatBytes, formatCount } from "../interface/amounts.js";
import { type ModelChoice, nameOf } from "./choice.js";
import { cancel, load, planAgain } from "./loading.js";
import { contextLengths, type Plan } from "./plan.js";

function Memory({ plan }: { plan: Plan }) {
  const parts = [
    { kind: "weights", label: "Weights", bytes: plan.weightsBytes },
    { kind: "cache", label: "Cache of what was said", bytes: plan.cacheBytes },
    { kind: "scratch", label: "Room to compute in", bytes: plan.scratchBytes },
  ];
  return (
    <>
      <div class="memory-bar" aria-hidden="true">
        {parts.map(({ kind, bytes }) => (
          <span key={kind} class={kind} style={{ flexGrow: bytes }} />
        ))}
      </div>
      <dl class="memory">
        {parts.map(({ kind, label, bytes }) => (
          <div key={kind} class={kind}>
            <dt>{label}</dt>
            <dd>{formatBytes(bytes)}</dd>
          </div>
        ))}
        <div class="total">
          <dt>Memory in all</dt>
          <dd>{formatBytes(plan.totalBytes)}</dd>
        </div>
      </dl>
    </>
  );
}

export function PlanCard({ choice, plan }: { choice: ModelChoice; plan: Plan }) {
  const [isKept, setIsKept] = useState(false);
  const { name, parameters, layers, contextLength, longestContext, choices } = plan;
  const file = choice.kind === "shipped" ? "Comes with this page" : nameOf(choice);
  return (
    <div class="card plan">
      <h3>{name}</h3>
      <p class="facts">
        {file} · {formatCount(parameters)} parameters · {layers} layers
      </p>
      <Memory plan={plan} />
      {choices.length > 0 && <p class="facts">Chosen to fit this device: {choices.join("; ")}.</p>}
      <label class="line">
        Tokens it can look back on
        <select
          name="context"
          onChange={({ currentTarget }) => void planAgain(Number(currentTarget.value))}
        >
          {contextLengths(Math.max(longestContext, contextLength)).map((length) => (
            <option key={length} value={length} selected={length === contextLength}>
              {length.toLocaleString("en")}
            </option>
          ))}
        </select>
      </label>
      {choice.kind === "file" && (
        <label class="line">
          Keep a copy in this browser
          <input
            type="checkbox"
            name="keep"
            checked={isKept}
            onChange={({ currentTarget }) => setIsKept(currentTarget.checked)}
          />
        </label>
      )}
      <div class="row end">
        <button type="button" onClick={cancel}>
          Back
        </button>
        <button
          type="button"
          class="primary"
          ref={(element) => element?.focus()}
          onClick={() => void load(isKept)}
        >
          Load
        </button>
      </div>
    </div>
  );
}
