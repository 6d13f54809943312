/** Where the next message is written. */
import { useEffect, useRef, useState } from "preact/hooks";
import { current } from "../conversations/conversations.js";
import { Icon } from "../interface/icon.js";
import { isChat, model } from "../model/loading.js";
import { say } from "./actions.js";
import { running, stopAnswer } from "./answer.js";
import { StatusLine } from "./status-line.js";

function placeholder(): string {
  if (model.value === undefined) return "Load a model to go on";
  if (isChat.value) return "Message PLM";
  return current.value.head === undefined ? "Begin a text" : "Add to it, or just send";
}

export function Composer() {
  const [text, setText] = useState("");
  const ref = useRef<HTMLTextAreaElement>(null);
  const isRunning = running.value !== undefined;
  const mayBeEmpty = !isChat.value && current.value.head !== undefined;
  const canSend = model.value !== undefined && (text.trim() !== "" || mayBeEmpty);
  const { id } = current.value;
  useEffect(() => ref.current?.focus({ preventScroll: true }), [id]);
  useEffect(() => {
    const stop = ({ key }: KeyboardEvent): void => {
      if (key === "Escape" && !document.querySelector("dialog[open]")) stopAnswer();
    };
    document.addEventListener("keydown", stop);
    return () => document.removeEventListener("keydown", stop);
  }, []);
  const send = (event: Event): void => {
    event.preventDefault();
    if (isRunning || !canSend) return;
    setText("");
    void say(text.trim() === "" ? "" : text);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  return (
    <form class="composer" onSubmit={send}>
      <div class="box">
        <textarea
          ref={ref}
          name="message"
          aria-label="Message"
          placeholder={placeholder()}
          rows={Math.min(8, text.split("\n").length)}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {isRunning ? (
          <button type="button" class="primary round" onClick={stopAnswer}>
            <Icon name="stop" />
            <span class="hidden-text">Stop</span>
          </button>
        ) : (
          <button type="submit" class="primary round" disabled={!canSend}>
            <Icon name="send" />
            <span class="hidden-text">Send</span>
          </button>
        )}
      </div>
      <StatusLine />
    </form>
  );
}
