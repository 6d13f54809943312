/** One turn of a conversation, with what can be done with it. */
import { useState } from "preact/hooks";
import { current } from "../conversations/conversations.js";
import { siblingsOf, type Turn, type TurnFigures } from "../conversations/tree.js";
import { formatRate, formatShare } from "../interface/amounts.js";
import { Icon, type IconName } from "../interface/icon.js";
import { isChat, model } from "../model/loading.js";
import { edit, regenerate, showBranch } from "./actions.js";
import { running } from "./answer.js";

const WHO = { user: "You", assistant: "PLM" } as const;

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly isDisabled?: boolean;
  readonly onClick: () => void;
}

function Tool({ icon, label, isDisabled = false, onClick }: ToolProps) {
  return (
    <button type="button" class="quiet" title={label} disabled={isDisabled} onClick={onClick}>
      <Icon name={icon} />
      <span class="hidden-text">{label}</span>
    </button>
  );
}

/** Arrows between the branches that part at a turn. */
function BranchArrows({ turn }: { turn: Turn }) {
  const siblings = siblingsOf(current.value.turns, turn);
  if (siblings.length < 2) return null;
  const at = siblings.findIndex(({ id }) => id === turn.id);
  const isBusy = running.value !== undefined;
  const go = (by: number) => () => showBranch(siblings[at + by]);
  return (
    <span class="branches">
      <Tool icon="left" label="Previous branch" isDisabled={isBusy || at === 0} onClick={go(-1)} />
      <span>
        <span class="hidden-text">Branch </span>
        {at + 1}/{siblings.length}
      </span>
      <Tool
        icon="right"
        label="Next branch"
        isDisabled={isBusy || at === siblings.length - 1}
        onClick={go(1)}
      />
    </span>
  );
}

const ENDS: Readonly<Record<string, string>> = {
  cancelled: "stopped",
  length: "cut at the longest answer",
  context: "context is full",
};

function Figures({ figures }: { figures: TurnFigures }) {
  const { tokens, tokensPerSecond, skippedShare, reusedTokens, finishReason } = figures;
  const parts = [
    `${tokens} tokens`,
    tokensPerSecond > 0 && `${formatRate(tokensPerSecond)} tokens/s`,
    skippedShare !== undefined && `${formatShare(skippedShare)} skipped`,
    reusedTokens > 0 && `${reusedTokens} reused`,
    ENDS[finishReason],
  ];
  return <span class="figures">{parts.filter(Boolean).join(" · ")}</span>;
}

function Editor({ turn, onDone }: { turn: Turn; onDone: () => void }) {
  const [text, setText] = useState(turn.text);
  const save = (event: Event): void => {
    event.preventDefault();
    if (text.trim() === "") return;
    onDone();
    void edit(turn, text);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onDone();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) save(event);
  };
  return (
    <form class="editor" onSubmit={save}>
      <textarea
        ref={(element) => element?.focus()}
        aria-label="Edit the message"
        value={text}
        rows={Math.min(10, text.split("\n").length + 1)}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" class="primary">
        Send
      </button>
      <button type="button" onClick={onDone}>
        Cancel
      </button>
    </form>
  );
}

export function Message({ turn }: { turn: Turn }) {
  const [isEdited, setIsEdited] = useState(false);
  const { role, text, figures } = turn;
  const isBusy = running.value !== undefined || model.value === undefined;
  return (
    <article class={`message ${role}`} aria-label={WHO[role]}>
      {isEdited ? (
        <Editor turn={turn} onDone={() => setIsEdited(false)} />
      ) : (
        <p class={isChat.value ? "said" : "said told"}>{text.trim() === "" ? "…" : text.trim()}</p>
      )}
      <div class="tools">
        <BranchArrows turn={turn} />
        <Tool icon="copy" label="Copy" onClick={() => void copyText(text.trim())} />
        {role === "user" ? (
          <Tool icon="edit" label="Edit" isDisabled={isBusy} onClick={() => setIsEdited(true)} />
        ) : (
          <Tool
            icon="again"
            label="Write another answer"
            isDisabled={isBusy}
            onClick={() => void regenerate(turn)}
          />
        )}
        {figures && <Figures figures={figures} />}
      </div>
    </article>
  );
}

async function copyText(text: string): Promise<void> {
  await navigator.clipboard?.writeText(text).catch(() => {});
}
