/** Finds the files behind URLs and names of the hub, and their places in the store. */
import platform from "#platform";
import { PlmError, reasonOf } from "../errors.js";
import type { FileStore } from "../store/file-store.js";
import { storeKey } from "../store/store-key.js";
import { readManifest } from "../store/stored-file.js";
import { HttpClient } from "./http-client.js";
import { RemoteFile, type StorePlace } from "./http-source.js";
import { chooseFiles, type HubFile, hubUrl, listFiles, namedFiles } from "./hub.js";
import { type HubName, hubNameOf, isHubName, parseHubName } from "./hub-name.js";
import {
  type ResolvedSourceOptions,
  resolveHub,
  resolveSourceOptions,
  type SourceOptions,
} from "./source-options.js";

/** Opens the store. Throws UNSUPPORTED_RUNTIME where there is none that may be used. */
export async function openStore(): Promise<FileStore> {
  try {
    return await platform.openStore();
  } catch (cause) {
    const error = PlmError.from(cause);
    if (error !== undefined) throw error;
    const message = `store: expected a place for files, got ${reasonOf(cause)}`;
    throw new PlmError("UNSUPPORTED_RUNTIME", message, { argument: "store", cause });
  }
}

export class Remotes {
  readonly options: ResolvedSourceOptions;
  readonly #client: HttpClient;
  readonly #given: SourceOptions;
  #hub: { readonly url: URL; readonly client: HttpClient } | undefined;
  #store: Promise<FileStore | undefined> | undefined;

  /** Throws INVALID_ARGUMENT for options that are not as they must be. */
  constructor(options: SourceOptions, client: HttpClient = new HttpClient(options)) {
    this.options = resolveSourceOptions(options);
    this.#given = options;
    this.#client = client;
  }

  /** The file at a URL. */
  file(url: URL): RemoteFile {
    return new RemoteFile(url, this.#client, { sha256: this.options.sha256 });
  }

  /**
   * The files that a name of the hub means. The hub is not asked for files that are stored; if it
   * does not answer, a repository is what is stored of it.
   */
  async hubFiles(name: HubName, signal: AbortSignal | undefined): Promise<RemoteFile[]> {
    const named = namedFiles(name)?.map((path) => this.#hubFile(name, { path }));
    if (named !== undefined && (await this.#areStored(named))) return named;
    try {
      return await this.listedFiles(name, signal);
    } catch (error) {
      if (named !== undefined || PlmError.from(error)?.code !== "UNREADABLE_FILE") throw error;
      const stored = await this.#storedFiles(name).catch(() => undefined);
      if (stored === undefined || stored.length === 0) throw error;
      return stored;
    }
  }

  /** The files that a name of the hub means, as the hub lists them now. */
  async listedFiles(name: HubName, signal: AbortSignal | undefined): Promise<RemoteFile[]> {
    const { sha256 } = this.options;
    const { url, client } = this.#findHub();
    const listed = await listFiles(url, name, client, signal);
    const found = chooseFiles(name, listed);
    const own = found.length === 1 && sha256 !== undefined ? { sha256 } : {};
    return found.map((file) => this.#hubFile(name, { ...file, ...own }));
  }

  #hubFile(name: HubName, { path, sha256 }: HubFile): RemoteFile {
    const facts = { source: hubNameOf(name, path), sha256, isKept: true };
    const { url, client } = this.#findHub();
    return new RemoteFile(hubUrl(url, name, path), client, facts);
  }

  /** Only now: other models load whatever the environment says of the hub. */
  #findHub(): { readonly url: URL; readonly client: HttpClient } {
    if (this.#hub === undefined) {
      const { url, token } = resolveHub(this.#given);
      const field = token === undefined ? undefined : `Bearer ${token}`;
      const client = field ? this.#client.withField("authorization", field) : this.#client;
      this.#hub = { url, client };
    }
    return this.#hub;
  }

  /** What is whole in the store of a repository. */
  async #storedFiles(name: HubName): Promise<RemoteFile[]> {
    const store = await this.#openStore();
    const files: HubFile[] = [];
    for (const key of (await store?.keys()) ?? []) {
      const manifest = await readManifest(store!.entry(key));
      const stored = manifest?.facts.source ?? "";
      if (!manifest?.isWhole || !isHubName(stored)) continue;
      const { repo, revision, file } = parseHubName(stored);
      if (repo === name.repo && revision === name.revision) files.push({ path: file! });
    }
    return chooseFiles(name, files).map((file) => this.#hubFile(name, file));
  }

  /** Where a file is kept; undefined if it is not to be. */
  async placeOf({ url, isKept }: RemoteFile): Promise<StorePlace | undefined> {
    const isHttp = url.protocol === "http:" || url.protocol === "https:";
    if (!isHttp || !(this.options.store ?? isKept)) return undefined;
    const store = await this.#openStore();
    return store && { store, entry: store.entry(await storeKey(url)) };
  }

  /** Undefined where there is none: models are then loaded without. */
  #openStore(): Promise<FileStore | undefined> {
    this.#store ??= openStore().catch(() => undefined);
    return this.#store;
  }

  async #areStored(files: readonly RemoteFile[]): Promise<boolean> {
    for (const file of files) {
      const place = await this.placeOf(file);
      const manifest = place && (await readManifest(place.entry).catch(() => undefined));
      if (!manifest?.isWhole) return false;
    }
    return true;
  }
}
