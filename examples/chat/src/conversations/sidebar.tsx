/** The list of conversations, and the model that is loaded. */
import { running } from "../chat/answer.js";
import { Icon } from "../interface/icon.js";
import { nameOf } from "../model/choice.js";
import { phase, unload } from "../model/loading.js";
import {
  conversations,
  current,
  currentId,
  deleteConversation,
  startConversation,
} from "./conversations.js";
import type { Conversation } from "./tree.js";

function Entry({ conversation, onChoose }: { conversation: Conversation; onChoose: () => void }) {
  const { id, title } = conversation;
  const show = (): void => {
    currentId.value = id;
    onChoose();
  };
  return (
    <li>
      <button
        type="button"
        class="title"
        aria-current={current.value.id === id ? "true" : undefined}
        onClick={show}
      >
        {title}
      </button>
      <button
        type="button"
        class="quiet"
        disabled={running.value?.conversation === id}
        onClick={() => void deleteConversation(id)}
      >
        <Icon name="trash" />
        <span class="hidden-text">Delete {title}</span>
      </button>
    </li>
  );
}

function LoadedModel() {
  const { value } = phase;
  if (value.name !== "ready") return null;
  const { threads, variant } = value.model;
  return (
    <div class="loaded">
      <p>
        <strong>{nameOf(value.choice)}</strong>
        <span class="facts">
          {threads === 1 ? "1 thread" : `${threads} threads`} · {variant}
        </span>
      </p>
      <button type="button" disabled={running.value !== undefined} onClick={unload}>
        Change
        <span class="hidden-text"> the model</span>
      </button>
    </div>
  );
}

export function Sidebar({ onChoose }: { onChoose: () => void }) {
  const start = (): void => {
    startConversation();
    onChoose();
  };
  return (
    <nav class="sidebar" id="sidebar" aria-label="Conversations">
      <button type="button" class="new" onClick={start}>
        <Icon name="new" /> New conversation
      </button>
      <ul>
        {conversations.value
          .filter(({ turns }) => turns.length > 0)
          .map((conversation) => (
            <Entry key={conversation.id} {...{ conversation, onChoose }} />
          ))}
      </ul>
      <LoadedModel />
    </nav>
  );
}
