/** The page: conversations at the side, the chat or the start screen, and the neurons. */
import { useEffect, useState } from "preact/hooks";
import { BenchmarkDialog } from "./benchmark/benchmark-dialog.js";
import { running } from "./chat/answer.js";
import { ChatView } from "./chat/chat-view.js";
import { current } from "./conversations/conversations.js";
import { Sidebar } from "./conversations/sidebar.js";
import { Icon, type IconName } from "./interface/icon.js";
import { NoticeList } from "./interface/notice-list.js";
import { nameOf } from "./model/choice.js";
import { phase } from "./model/loading.js";
import { StartScreen } from "./model/start-screen.js";
import { NeuronsPanel } from "./neurons/neurons-panel.js";
import { SettingsDialog } from "./settings/settings-dialog.js";
import { readPreference, writePreference } from "./storage/preference.js";

interface ActionProps {
  readonly icon: IconName;
  readonly label: string;
  readonly isPressed?: boolean;
  readonly isExpanded?: boolean;
  readonly isDisabled?: boolean;
  readonly name: string;
  readonly onClick: () => void;
}

function Action({ icon, label, isPressed, isExpanded, isDisabled, name, onClick }: ActionProps) {
  return (
    <button
      type="button"
      class={`action ${name}`}
      aria-pressed={isPressed}
      aria-expanded={isExpanded}
      disabled={isDisabled}
      title={label}
      onClick={onClick}
    >
      <Icon name={icon} />
      <span class="label">{label}</span>
    </button>
  );
}

export function App() {
  const [dialog, setDialog] = useState<"settings" | "benchmark">();
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  const [hasNeurons, setHasNeurons] = useState(readPreference<boolean>("neurons") ?? true);
  const { value } = phase;
  const isReady = value.name === "ready";
  const hasText = current.value.turns.length > 0;
  const toggleNeurons = (): void => {
    writePreference("neurons", !hasNeurons);
    setHasNeurons(!hasNeurons);
  };
  const close = (): void => setDialog(undefined);
  useEffect(() => {
    const closeMenu = ({ key }: KeyboardEvent): void => {
      if (key === "Escape") setIsMenuOpen(false);
    };
    document.addEventListener("keydown", closeMenu);
    return () => document.removeEventListener("keydown", closeMenu);
  }, []);
  return (
    <div class={`app${isMenuOpen ? " menu-open" : ""}`}>
      <header class="bar">
        <Action
          {...{ icon: "menu", label: "Conversations", name: "menu", isExpanded: isMenuOpen }}
          onClick={() => setIsMenuOpen(!isMenuOpen)}
        />
        <h1 class="brand">
          <img src="./icon.svg" alt="" width={28} height={28} /> PLM chat
        </h1>
        {isReady && (
          <Action
            {...{ icon: "neurons", label: "Neurons", name: "neurons-action" }}
            isPressed={hasNeurons}
            onClick={toggleNeurons}
          />
        )}
        {isReady && (
          <Action
            {...{ icon: "speed", label: "Benchmark", name: "benchmark" }}
            isDisabled={running.value !== undefined}
            onClick={() => setDialog("benchmark")}
          />
        )}
        <Action
          {...{ icon: "settings", label: "Settings", name: "settings" }}
          onClick={() => setDialog("settings")}
        />
      </header>
      <Sidebar onChoose={() => setIsMenuOpen(false)} />
      {isMenuOpen && (
        <button type="button" class="shade" onClick={() => setIsMenuOpen(false)}>
          <span class="hidden-text">Close the list of conversations</span>
        </button>
      )}
      <main>
        <NoticeList />
        {!isReady && <StartScreen />}
        {(isReady || hasText) && <ChatView />}
      </main>
      {isReady && hasNeurons && <NeuronsPanel model={value.model} />}
      {dialog === "settings" && <SettingsDialog onClose={close} />}
      {dialog === "benchmark" && isReady && (
        <BenchmarkDialog model={value.model} name={nameOf(value.choice)} onClose={close} />
      )}
    </div>
  );
}
