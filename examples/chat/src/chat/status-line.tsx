/** Below the composer: how fast the answer comes, and how much of the context is in use. */
import { computed } from "@preact/signals";
import { current } from "../conversations/conversations.js";
import { pathTo } from "../conversations/tree.js";
import { formatRate } from "../interface/amounts.js";
import { model } from "../model/loading.js";
import { settings } from "../settings/settings.js";
import { running } from "./answer.js";
import { promptTokens } from "./prompt.js";

/** Tokens of the branch that is shown. */
const branchTokens = computed(() => {
  const { turns, head } = current.value;
  const path = pathTo(turns, head);
  if (model.value === undefined || path.length === 0) return 0;
  try {
    return promptTokens(model.value, path, settings.value.system).length;
  } catch {
    return 0; // A template that refuses these turns; so will the next answer, and say why.
  }
});

function usedTokens(): number {
  const isShown = running.value?.conversation === current.value.id;
  return (isShown && running.value?.usedTokens) || branchTokens.value;
}

export function StatusLine() {
  const loaded = model.value;
  if (loaded === undefined) return null;
  const { contextLength } = loaded.plan.options;
  const used = Math.min(usedTokens(), contextLength);
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
