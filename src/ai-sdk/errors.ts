/** Errors that the AI SDK takes for its own: it knows them by symbols that every copy shares. */

const MARKER = "vercel.ai.error";

/** An error of the AI SDK's class `name`, with that class's fields. */
function sdkError(name: string, message: string, fields: Record<string, string>): Error {
  const marks = { [Symbol.for(MARKER)]: true, [Symbol.for(`${MARKER}.${name}`)]: true };
  return Object.assign(new Error(message), { name, ...fields, ...marks });
}

/** UnsupportedFunctionalityError. */
export function unsupportedFunctionality(functionality: string): Error {
  const message = `'${functionality}' functionality not supported.`;
  return sdkError("AI_UnsupportedFunctionalityError", message, { functionality });
}

/** NoSuchModelError. */
export function noSuchModel(modelId: string, modelType: string): Error {
  const message = `No such ${modelType}: ${modelId}`;
  return sdkError("AI_NoSuchModelError", message, { modelId, modelType });
}
