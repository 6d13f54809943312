/** Files of the Hugging Face hub: where they are, and what the hub says about them. */
import { PlmError, quote, reasonOf } from "../errors.js";
import { isCheckpointFile, isWeights } from "../format/checkpoint-names.js";
import { parseUrl, requireGlobal } from "../globals.js";
import type { HttpClient } from "./http-client.js";
import { firstConnection } from "./http-source.js";
import { type HubName, hubNameOf, isSegment } from "./hub-name.js";
import { partsOf } from "./locate.js";
import { ForwardReader } from "./stream-source.js";

/** The longest answer about a repository. */
const MOST_ANSWER_BYTES = 16 << 20;

/** The most file names in one message. */
const MOST_LISTED = 20;

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  /** Of files in large file storage, which models are in. */
  readonly sha256?: string | undefined;
}

/** Where a file of the hub is. */
export function hubUrl(hub: URL, { repo, revision }: HubName, path: string): URL {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return below(hub, `${repo}/resolve/${encodeURIComponent(revision)}/${encoded}`);
}

function below(hub: URL, path: string): URL {
  return parseUrl(`${hub.pathname.replace(/\/$/, "")}/${path}`, hub);
}

/** The files that a name means; undefined if only the hub knows. */
export function namedFiles({ file }: HubName): string[] | undefined {
  return file === undefined ? undefined : partsOf(file).map(String);
}

/**
 * The files that a name means, of those of its repository: a file with all its parts, else the only
 * GGUF file, else the files of the checkpoint. Throws UNREADABLE_FILE for a file that is not there,
 * INVALID_ARGUMENT if the name leaves a choice.
 */
export function chooseFiles(name: HubName, listed: readonly HubFile[]): HubFile[] {
  const wanted = namedFiles(name) ?? defaultFiles(name, listed);
  return wanted.map((path) => {
    const found = listed.find((file) => file.path === path);
    if (found !== undefined) return found;
    const expected = `expected a file of the repository (${listOf(listed)})`;
    const message = `${hubNameOf(name, undefined)}: ${expected}, got ${quote(path)}`;
    throw new PlmError("UNREADABLE_FILE", message, { argument: "source" });
  });
}

function defaultFiles(name: HubName, listed: readonly HubFile[]): string[] {
  const paths = listed.map(({ path }) => path);
  const models = paths.filter((path) => /\.gguf$/i.test(path));
  const firsts = models.filter((path) => partsOf(path)[0] === path);
  if (firsts.length === 1) return partsOf(firsts[0]).map(String);
  const checkpoint = paths.filter((path) => !path.includes("/") && isCheckpointFile(path));
  const isCheckpoint = checkpoint.includes("config.json") && checkpoint.some(isWeights);
  if (firsts.length === 0 && isCheckpoint) return checkpoint;
  const got = firsts.length === 0 ? "none" : `${firsts.length}`;
  const choice = listOf(firsts.map((path) => ({ path })));
  const advice = firsts.length === 0 ? "" : `; name one of ${choice}`;
  const message = `${hubNameOf(name, undefined)}: expected one GGUF file, got ${got}${advice}`;
  throw new PlmError("INVALID_ARGUMENT", message, { argument: "source" });
}

function listOf(files: readonly { readonly path: string }[]): string {
  const shown = files.slice(0, MOST_LISTED).map(({ path }) => quote(path));
  const more = files.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/**
 * The files of a repository, as the hub's API lists them. Throws UNREADABLE_FILE if it has no such
 * repository, or none that the token may see.
 */
export async function listFiles(
  hub: URL,
  { repo, revision }: HubName,
  client: HttpClient,
  signal: AbortSignal | undefined,
): Promise<HubFile[]> {
  const path = `api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const url = below(hub, path);
  const { body, abort } = await firstConnection(url, client, signal, undefined);
  const reader = new ForwardReader(body, url.href);
  try {
    const bytes = new Uint8Array(MOST_ANSWER_BYTES);
    const length = await reader.read(bytes, signal);
    const { siblings } = Object(
      JSON.parse(new (requireGlobal("TextDecoder"))().decode(bytes.subarray(0, length))),
    );
    if (!Array.isArray(siblings)) throw new SyntaxError("it has no `siblings`");
    return siblings.flatMap(readSibling);
  } catch (cause) {
    if ((cause as Error).name !== "SyntaxError") throw cause;
    const message = `${url.href}: expected the hub's list of files, got ${reasonOf(cause)}`;
    throw new PlmError("UNREADABLE_FILE", message, { cause });
  } finally {
    abort();
  }
}

/** A file of the list; none for a name that would leave the repository. */
function readSibling(sibling: unknown): HubFile[] {
  const { rfilename, lfs } = Object(sibling) as { rfilename?: unknown; lfs?: unknown };
  if (typeof rfilename !== "string" || !rfilename.split("/").every(isSegment)) return [];
  const { sha256 } = Object(lfs) as { sha256?: unknown };
  const isHash = typeof sha256 === "string" && /^[\da-f]{64}$/.test(sha256);
  return [{ path: rfilename, sha256: isHash ? sha256 : undefined }];
}
