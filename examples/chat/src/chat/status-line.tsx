/** Below the composer: how fast the answer comes, and how much of the context is in use. */
import { formatRate } from "../interface/amounts.js";
import { model } from "../model/loading.js";
import { contextUse, running } from "./answer.js";

export function StatusLine() {
  const loaded = model.value;
  if (loaded === undefined) return null;
  const { contextLength } = loaded.plan.options;
  const used = Math.min(contextUse.value, contextLength);
  const rate = running.value?.tokensPerSecond ?? 0;
  return (
    <div class="status-line">
      <label class="context">
        Context
        <meter min={0} max={contextLength} high={contextLength * 0.9} value={used} />
        {used.toLocaleString("en")} of {contextLength.toLocaleString("en")}
      </label>
      <span class="rate">{rate > 0 ? `${formatRate(rate)} tokens/s` : ""}</span>
    </div>
  );
}
