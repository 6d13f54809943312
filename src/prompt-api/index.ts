/** plm-wasm/prompt-api: the browsers' LanguageModel, with a PLM as its model. */
import "../web-types.js";
import { abortable } from "../abortable.js";
import { checkOptions } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument } from "../errors.js";
import { requireGlobal } from "../globals.js";
import { Context } from "./context.js";
import { creationExceptionOf, domException, exceptionOf } from "./errors.js";
import { inputOf } from "./input.js";
import { ModelHolder, type PromptModel } from "./model-holder.js";
import { PARAMS, samplingOf } from "./sampling.js";
import { KEY, PromptSession } from "./session.js";
import type {
  Availability,
  LanguageModelConstructor,
  LanguageModelCreateCoreOptions,
  LanguageModelCreateOptions,
  LanguageModelParams,
} from "./specification.js";

export type { LoadingOptions, PromptModel } from "./model-holder.js";
export type {
  Availability,
  LanguageModel,
  LanguageModelConstructor,
  LanguageModelCreateCoreOptions,
  LanguageModelCreateOptions,
  LanguageModelExpected,
  LanguageModelMessage,
  LanguageModelMessageContent,
  LanguageModelParams,
  LanguageModelPrompt,
  LanguageModelPromptOptions,
  LanguageModelTool,
  SamplingMode,
  Target,
} from "./specification.js";

/** What a LanguageModel is made with. */
export interface LanguageModelSettings {
  /**
   * The model, a promise of it, or a function that loads it when the first session is created. All
   * sessions share it.
   */
  model: PromptModel;
}

/**
 * The class that the Prompt API calls LanguageModel, for pages where there is none:
 *
 *     globalThis.LanguageModel ??= createLanguageModel({
 *       model: (options) => loadModel("plm.gguf", { worker: true, ...options }),
 *     });
 *
 * Throws INVALID_ARGUMENT for settings without a model.
 */
export function createLanguageModel(settings: LanguageModelSettings): LanguageModelConstructor {
  checkOptions(settings);
  const { model } = settings;
  if (!((typeof model === "object" && model !== null) || typeof model === "function")) {
    throw invalidArgument("model", "a model, or a function that loads it", kindOf(model));
  }
  const holder = new ModelHolder(model);
  class LanguageModel extends PromptSession {
    static async availability(options: LanguageModelCreateCoreOptions = {}): Promise<Availability> {
      samplingOf(options);
      return unsupportedIn(options) === undefined ? holder.availability : "unavailable";
    }

    static async create(options: LanguageModelCreateOptions = {}): Promise<PromptSession> {
      return createSession(LanguageModel, holder, options);
    }

    static async params(): Promise<LanguageModelParams> {
      return PARAMS;
    }
  }
  return LanguageModel;
}

/** A session of the class. */
async function createSession(
  Own: typeof PromptSession,
  holder: ModelHolder,
  options: LanguageModelCreateOptions,
): Promise<PromptSession> {
  const { signal: given, monitor, initialPrompts = [], tools = [] } = options;
  const sampling = samplingOf(options);
  const first = initialPrompts.length === 0 ? undefined : inputOf(initialPrompts, false);
  if (first !== undefined && first.prefix !== "") {
    throw domException("SyntaxError", "initialPrompts: expected no prefix");
  }
  for (const { name, execute } of tools) {
    if (typeof execute === "function") continue;
    throw new TypeError(`tools: expected a function execute of ${name}, got ${kindOf(execute)}`);
  }
  const unsupported = unsupportedIn(options);
  if (unsupported !== undefined) throw domException("NotSupportedError", unsupported);
  const signal = given ?? new (requireGlobal("AbortController"))().signal;
  signal.throwIfAborted();
  const model = await loadWith(holder, monitor, signal);
  let context: Context | undefined;
  try {
    context = new Context({ model, session: model.createSession(), sampling, tools });
    if (first !== undefined) await context.begin(first, signal);
  } catch (error) {
    context?.dispose();
    throw signal.aborted ? signal.reason : exceptionOf(error);
  }
  const session = new Own(KEY, context, sampling);
  session.endWith(signal);
  return session;
}

async function loadWith(
  holder: ModelHolder,
  monitor: LanguageModelCreateOptions["monitor"],
  signal: AbortSignal,
): ReturnType<ModelHolder["load"]> {
  const target = new (requireGlobal("EventTarget"))();
  monitor?.(target);
  const watch = (loaded: number): void => {
    const event = new (requireGlobal("Event"))("downloadprogress");
    target.dispatchEvent(Object.assign(event, { lengthComputable: true, loaded, total: 1 }));
  };
  try {
    return await abortable(holder.load(watch, signal), signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : creationExceptionOf(error);
  }
}

/** What of the options is not supported: anything but texts, and calls of tools. */
function unsupportedIn(options: LanguageModelCreateCoreOptions): string | undefined {
  const { expectedInputs = [], expectedOutputs = [] } = options;
  const known = ["text", "tool-call", "tool-response"];
  const wrong = [...expectedInputs, ...expectedOutputs].find(({ type }) => !known.includes(type));
  return wrong === undefined
    ? undefined
    : `expected contents of the type "text", got "${wrong.type}"`;
}
