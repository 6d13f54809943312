/** Names of files on the Hugging Face hub: `hf:owner/repo/file@revision`. */
import { invalidArgument, type PlmError, quote } from "../errors.js";

/** A repository of models, or a file in it, at a branch, tag or commit. */
export interface HubName {
  /** "owner/repo". */
  readonly repo: string;
  /** The file's path in the repository; undefined for the repository as a whole. */
  readonly file: string | undefined;
  readonly revision: string;
}

const SCHEME = /^hf:/i;
const DEFAULT_REVISION = "main";

/** The hub's own rule for owners and repositories. */
const REPO_PART = /^[\w](?:[\w.-]{0,94}[\w])?$/;

/** Whether a source's name is of the hub: hf:model.gguf, without a repository, is a file's. */
export function isHubName(name: string): boolean {
  return SCHEME.test(name) && name.includes("/");
}

/**
 * The parts of `hf:owner/repo[/file][@revision]`. Throws INVALID_ARGUMENT for a name that the hub
 * would not have, such as one that leaves the repository by "..".
 */
export function parseHubName(name: string): HubName {
  const [, path, revision = DEFAULT_REVISION] =
    /^([^@]*)(?:@(.+))?$/s.exec(name.replace(SCHEME, "")) ?? [];
  if (path === undefined) throw invalid(name);
  const [owner, repo, ...segments] = path.replace(/\/$/, "").split("/");
  const parts = [owner ?? "", repo ?? ""];
  if (!parts.every((part) => REPO_PART.test(part) && !part.includes(".."))) throw invalid(name);
  if (![...segments, ...revision.split("/")].every(isSegment)) throw invalid(name);
  const file = segments.length > 0 ? segments.join("/") : undefined;
  return { repo: parts.join("/"), file, revision };
}

/** The name of a file of the same repository. */
export function hubNameOf({ repo, revision }: HubName, file: string | undefined): string {
  const at = revision === DEFAULT_REVISION ? "" : `@${revision}`;
  return `hf:${repo}${file === undefined ? "" : `/${file}`}${at}`;
}

/** Whether a part of a path is a name: not empty, no step up, nothing that ends a URL's path. */
export function isSegment(segment: string): boolean {
  return !/^\.{0,2}$|[\\?#\p{Cc}]/u.test(segment);
}

function invalid(name: string): PlmError {
  return invalidArgument("source", "hf:owner/repo/file@revision", quote(name));
}
