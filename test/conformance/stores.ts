/** Conformance: a downloaded model is kept, and then loaded without a request. */
import { type FetchLike, models, PlmError, type StoredModel } from "../../src/index.js";
import { type Check, equal, fail, logitsOf, PROMPT } from "./subject.js";

/** Answers requests for ranges from memory, and counts them. */
function fetchOf(file: Uint8Array<ArrayBuffer>): { fetch: FetchLike; requests: string[] } {
  const requests: string[] = [];
  const fetch: FetchLike = async (_, { headers }) => {
    requests.push(headers.range);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range) ?? [];
    const last = Math.min(Number(to || Infinity), file.length - 1);
    const fields = { "Content-Range": `bytes ${from}-${last}/${file.length}`, ETag: '"same"' };
    return new Response(file.slice(Number(from), last + 1), { status: 206, headers: fields });
  };
  return { fetch, requests };
}

/** Undefined where a runtime has no place for files. */
async function listed(): Promise<StoredModel[] | undefined> {
  try {
    return await models.list();
  } catch (error) {
    if (PlmError.from(error)?.code === "UNSUPPORTED_RUNTIME") return undefined;
    throw error;
  }
}

/** The store of downloaded models; loading goes without where there is none. */
export const STORE_CHECKS: Record<string, Check> = {
  "store: a model is kept while it loads, and then loaded without a request": async (subject) => {
    const source = new URL("https://models.example/plm-conformance.gguf");
    const hasStore = (await listed()) !== undefined;
    if (hasStore) await models.remove(source);
    const { fetch, requests } = fetchOf(subject.file);
    const expected = [...(await logitsOf(subject.model, PROMPT))];
    const first = await subject.load(source, { store: true, fetch });
    equal([...(await logitsOf(first, PROMPT))], expected);
    first.dispose();
    if (!hasStore) return;
    const { length } = requests;
    if (length === 0) fail("expected a request, got none");
    const second = await subject.load(source, { store: true, fetch });
    equal([...(await logitsOf(second, PROMPT))], expected);
    second.dispose();
    equal(requests.length, length);
    const found = (await listed())!.filter((model) => model.source === source.href);
    equal(
      found.map(({ sizeBytes, isWhole }) => [sizeBytes, isWhole]),
      [[subject.file.length, true]],
    );
    equal(await models.remove(source), 1);
    equal(await models.remove(source), 0);
  },
};
