/**
 * A stored file's folder: `manifest.json`, and the bytes in `model.part`, which is renamed to
 * `model` when it is whole.
 */
import type { FileHandle } from "node:fs/promises";
import type { EntryLock, StoreEntry } from "../store/file-store.js";
import { takeLock } from "./disk-lock.js";
import { type DiskModules, ignoreMissing } from "./disk-modules.js";

export class DiskEntry implements StoreEntry {
  readonly #modules: DiskModules;
  readonly #folder: string;
  #file: FileHandle | undefined;
  #isWritable = false;

  constructor(modules: DiskModules, folder: string) {
    this.#modules = modules;
    this.#folder = folder;
  }

  async readManifest(): Promise<Uint8Array | undefined> {
    return this.#modules.fs.readFile(`${this.#folder}/manifest.json`).catch(ignoreMissing);
  }

  async writeManifest(bytes: Uint8Array): Promise<void> {
    const { fs } = this.#modules;
    await fs.mkdir(this.#folder, { recursive: true });
    const path = `${this.#folder}/manifest.json`;
    await fs.writeFile(`${path}.new`, bytes);
    await fs.rename(`${path}.new`, path);
  }

  async readBlock(index: number, target: Uint8Array, blockBytes: number): Promise<number> {
    const file = await this.#open(false);
    const { bytesRead } = await file.read(target, 0, target.length, index * blockBytes);
    return bytesRead;
  }

  async writeBlock(index: number, bytes: Uint8Array, blockBytes: number): Promise<void> {
    const file = await this.#open(true);
    for (let done = 0; done < bytes.length; ) {
      const at = index * blockBytes + done;
      done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
    }
  }

  async complete(): Promise<void> {
    const { fs } = this.#modules;
    const file = await this.#open(true);
    await file.sync();
    await this.close();
    await fs.rename(`${this.#folder}/model.part`, `${this.#folder}/model`);
  }

  async remove(): Promise<void> {
    await this.close();
    const { fs } = this.#modules;
    for (const name of ["manifest.json", "manifest.json.new", "model.part", "model"]) {
      await fs.rm(`${this.#folder}/${name}`, { force: true });
    }
    // Another process's lock may still be in it.
    await fs.rmdir(this.#folder).catch(() => undefined);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async lock(): Promise<EntryLock | undefined> {
    return takeLock(this.#modules, this.#folder);
  }

  async #open(isWritable: boolean): Promise<FileHandle> {
    if (this.#file !== undefined && (this.#isWritable || !isWritable)) return this.#file;
    const { fs } = this.#modules;
    await this.close();
    this.#isWritable = isWritable;
    const path = `${this.#folder}/model.part`;
    if (isWritable) {
      await fs.mkdir(this.#folder, { recursive: true });
      // Opened for changes; a new file first has to be there.
      this.#file = await fs.open(path, "r+").catch(async (cause) => {
        ignoreMissing(cause);
        return fs.open(path, "w+");
      });
    } else {
      const whole = await fs.open(`${this.#folder}/model`, "r").catch(ignoreMissing);
      this.#file = whole ?? (await fs.open(path, "r"));
    }
    return this.#file;
  }
}
