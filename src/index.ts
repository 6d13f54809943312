/** The public interface of plm-wasm. */
import "./web-types.js";

export type { CacheType } from "./cache/rows.js";
export {
  type CheckpointOptions,
  openModel,
  type QuantizeChoice,
} from "./checkpoint/open-model.js";
export type { EvaluateOptions } from "./engine/evaluation.js";
export type { KernelsBinary, LoadOptions, Variant } from "./engine/load.js";
export type { CaptureOptions, RestoreOptions } from "./engine/loaded-model.js";
export type { ModelOptions, Profile } from "./engine/options.js";
export type { ModelPlan } from "./engine/plan.js";
export type { ProfileChoice } from "./engine/profile.js";
export type { SaveOptions, Session } from "./engine/session.js";
export { type ErrorCode, PlmError, type PlmErrorData } from "./errors.js";
export type { ByteSource } from "./format/byte-source.js";
export type { TensorType } from "./format/dtypes.js";
export { type Gguf, openGguf } from "./format/gguf.js";
export type { GgufValue } from "./format/metadata.js";
export type { TensorInfo } from "./format/tensors.js";
export type { ChatGenerateOptions } from "./generation/chat.js";
export type { Conversation, ConversationOptions } from "./generation/conversation.js";
export type { Evaluator, TokenDecoder } from "./generation/evaluator.js";
export { generate } from "./generation/generate.js";
export type { Generation, GenerationResult, GenerationTimings } from "./generation/generation.js";
export {
  type Inspection,
  inspectModel,
  type LoadModelOptions,
  loadModel,
} from "./generation/load-model.js";
export type { Logprob, TokenLogprob } from "./generation/logprobs.js";
export type { Model, RestoreConversationOptions } from "./generation/model.js";
export type { GenerateOptions } from "./generation/options.js";
export type {
  ResponseFormat,
  StructuralTagFormat,
  TagStructure,
} from "./generation/response-format.js";
export type { SamplerName } from "./generation/samplers.js";
export type { FinishReason } from "./generation/stopping-criteria.js";
export type { ToolCallEvent } from "./generation/tool-calls/call-reader.js";
export { ToolCallParser } from "./generation/tool-calls/parser.js";
export type { FunctionTool, ToolCall, ToolChoice } from "./generation/tool-calls/tools.js";
export type { MatmulRates } from "./kernels/choose-kernels.js";
export type { LoadProgress } from "./loading/progress.js";
export type { ActivationCapture } from "./model/activations.js";
export type { AttentionForm } from "./model/attention-form.js";
export type { PlmConfig } from "./model/config.js";
export type { Precision } from "./model/precision.js";
export type { SparsityCount } from "./model/relu2-mlp.js";
export type { RopeScaling } from "./model/rope-scaling.js";
export type { ThreadScript, ThreadWorker } from "./platform/thread-worker.js";
export type { FetchLike, HttpOptions } from "./sources/http-client.js";
export type { HeaderFields } from "./sources/http-headers.js";
export type {
  BlobLike,
  Bytes,
  OpenFile,
  PickedFile,
  ResponseLike,
  StreamLike,
  StreamOwner,
  UrlLike,
} from "./sources/model-source.js";
export { models, type PullOptions, type StoredModel } from "./sources/models.js";
export { type ModelSource, openSources } from "./sources/source.js";
export type { SourceOptions } from "./sources/source-options.js";
export type { TransferProgress } from "./sources/transfer-rate.js";
export {
  applyChatTemplate,
  type ChatContent,
  type ChatEnvironment,
  type ChatMessage,
  type ChatOptions,
  type ChatTemplateOptions,
  type ChatTextPart,
  type ChatTokenizer,
  renderChat,
} from "./tokenizer/chat.js";
export type { IncrementalDecoder } from "./tokenizer/decoder.js";
export type { TokenizerSource } from "./tokenizer/metadata.js";
export { type DecodeOptions, type EncodeOptions, Tokenizer } from "./tokenizer/tokenizer.js";
