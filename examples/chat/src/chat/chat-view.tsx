/** The turns of the conversation that is shown, and the answer that is being written. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { current } from "../conversations/conversations.js";
import { pathTo } from "../conversations/tree.js";
import { isChat, model } from "../model/loading.js";
import { say } from "./actions.js";
import { announcement, running } from "./answer.js";
import { Composer } from "./composer.js";
import { Message } from "./message.js";

/** How far from the end still counts as at the end. */
const NEAR_PX = 80;

const BEGINNINGS = {
  text: [
    "Once upon a time, there was a little fox who",
    "Lily found a shiny key in the garden.",
    "The old boat had not moved for many years.",
  ],
  chat: [
    "Tell me a story about a lighthouse.",
    "Explain why the sky is blue, for a child.",
    "What should I cook with rice and tomatoes?",
  ],
} as const;

function Empty() {
  const kind = isChat.value ? "chat" : "text";
  return (
    <div class="empty">
      <h2>{kind === "chat" ? "What shall we talk about?" : "How does it begin?"}</h2>
      {kind === "text" && <p>This model does not chat: it goes on with what you write.</p>}
      <ul>
        {BEGINNINGS[kind].map((text) => (
          <li key={text}>
            <button type="button" onClick={() => void say(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Answer() {
  const shown = running.value;
  if (shown === undefined || shown.conversation !== current.value.id) return null;
  return (
    <article class="message assistant" aria-label="PLM" aria-busy="true">
      <p class={isChat.value ? "said running" : "said told running"}>{shown.text.trimStart()}</p>
    </article>
  );
}

/** Below a message without an answer: the page was closed, or another answer was not written. */
function Unanswered() {
  return (
    <p class="unanswered">
      <button type="button" onClick={() => void say("")}>
        Answer this
      </button>
    </p>
  );
}

export function ChatView() {
  const ref = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const { turns, head, id } = current.value;
  const path = pathTo(turns, head);
  const text = running.value?.text;
  const isIdle = running.value === undefined && model.value !== undefined;
  const isUnanswered = isIdle && path.at(-1)?.role === "user";
  useLayoutEffect(() => {
    const element = ref.current;
    if (element && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [text, head, id]);
  const onScroll = ({ currentTarget }: { currentTarget: HTMLElement }): void => {
    const { scrollTop, clientHeight, scrollHeight } = currentTarget;
    isAtEnd.current = scrollTop + clientHeight > scrollHeight - NEAR_PX;
  };
  return (
    <section class="chat" aria-label="Conversation">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys must be able to scroll it */}
      <div class="turns" ref={ref} onScroll={onScroll} tabIndex={0} role="log" aria-live="off">
        {path.length === 0 && isIdle && <Empty />}
        {path.map((turn) => (
          <Message key={`${id} ${turn.id}`} turn={turn} />
        ))}
        {isUnanswered && <Unanswered />}
        <Answer />
      </div>
      <p class="hidden-text" role="status">
        {announcement.value}
      </p>
      <Composer />
    </section>
  );
}
