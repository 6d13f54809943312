/** Before a model is there: which one, what it will take, and how far it is. */
import { Icon } from "../interface/icon.js";
import { choose, phase } from "./loading.js";
import { LoadingCard, ReadingCard } from "./loading-card.js";
import { PlanCard } from "./plan-card.js";
import { StoredModels } from "./stored-models.js";

function pick({ currentTarget: input }: { currentTarget: HTMLInputElement }): void {
  const file = input.files?.[0];
  if (file) void choose({ kind: "file", file });
  input.value = "";
}

function open(event: SubmitEvent): void {
  event.preventDefault();
  const url = new FormData(event.currentTarget as HTMLFormElement).get("url");
  if (typeof url === "string" && url.trim() !== "") void choose({ kind: "url", url: url.trim() });
}

function Choices() {
  return (
    <>
      <button
        type="button"
        class="shipped primary"
        onClick={() => void choose({ kind: "shipped" })}
      >
        <Icon name="book" />
        <span>
          <strong>Start with PLM-tiny</strong>
          <small>It comes with this page: 8 MB, tells children's stories.</small>
        </span>
      </button>
      <div class="ways">
        <div class="way">
          <h3>
            <Icon name="file" /> From this device
          </h3>
          <p>A GGUF file of PLM. Drop it anywhere on the page, or pick it.</p>
          <label class="button">
            Pick a file
            <input type="file" name="file" class="hidden-text" accept=".gguf" onChange={pick} />
          </label>
        </div>
        <form class="way" onSubmit={open}>
          <h3>
            <Icon name="link" /> From an address
          </h3>
          <p>A URL or hf:owner/repo/file. It is kept for the next visit.</p>
          <div class="row">
            <input
              name="url"
              type="text"
              inputMode="url"
              aria-label="Address of a model"
              placeholder="https://…/model.gguf"
              autocomplete="off"
              spellcheck={false}
              required
            />
            <button type="submit">Open</button>
          </div>
        </form>
      </div>
      <StoredModels />
    </>
  );
}

export function StartScreen() {
  const { value } = phase;
  return (
    <section class="start" aria-label="Choose a model">
      <h2 class="headline">A language model, in this page</h2>
      <p class="lead">
        PLM runs on your device. Nothing that you write leaves it, and after the first visit no
        network is needed.
      </p>
      {value.name === "start" && <Choices />}
      {value.name === "reading" && <ReadingCard choice={value.choice} />}
      {value.name === "planned" && <PlanCard choice={value.choice} plan={value.plan} />}
      {value.name === "loading" && <LoadingCard choice={value.choice} />}
    </section>
  );
}
