/** Which requests there are, and what answers each. */
import type { AnswerContext } from "./answer.js";
import type { Fields } from "./fields.js";
import { health, metrics, props } from "./llama/state.js";
import { applyTemplate, detokenize, tokenize } from "./llama/tokens.js";
import { ollamaChat } from "./ollama/chat.js";
import { ollamaEmbed } from "./ollama/embed.js";
import { ollamaGenerate } from "./ollama/generate.js";
import { ps, show, tags, version } from "./ollama/models.js";
import { chatCompletions } from "./openai/chat.js";
import { completions } from "./openai/completions.js";
import { embeddings } from "./openai/embeddings.js";
import { listModels, retrieveModel } from "./openai/models.js";
import { responses } from "./openai/responses/responses.js";
import type { Reply } from "./reply.js";

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whether it needs no key, and is answered on shutdown too. */
  readonly isOpen?: boolean;
  readonly answer: (
    fields: Fields,
    context: AnswerContext,
    parameters: Readonly<Record<string, string>>,
  ) => Reply | Promise<Reply>;
}

const get = (path: string, answer: (context: AnswerContext) => Reply): Route => ({
  method: "GET",
  path,
  answer: (_, context) => answer(context),
});

const post = (path: string, answer: Route["answer"]): Route => ({ method: "POST", path, answer });

export const ROUTES: readonly Route[] = [
  { ...get("/health", health), isOpen: true },
  { ...get("/v1/health", health), isOpen: true },
  get("/v1/models", listModels),
  {
    method: "GET",
    path: "/v1/models/:id{.+}",
    answer: (_, context, { id }) => retrieveModel(context, id),
  },
  post("/v1/chat/completions", chatCompletions),
  post("/v1/completions", completions),
  post("/v1/responses", responses),
  post("/v1/embeddings", embeddings),
  post("/tokenize", tokenize),
  post("/detokenize", detokenize),
  post("/apply-template", applyTemplate),
  get("/props", props),
  get("/metrics", metrics),
  post("/api/chat", ollamaChat),
  post("/api/generate", ollamaGenerate),
  post("/api/embed", ollamaEmbed),
  post("/api/show", show),
  get("/api/tags", tags),
  get("/api/ps", ps),
  get("/api/version", version),
];
