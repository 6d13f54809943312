/** `using` and `await using` for disposable objects. */

/** The key of the lib's Symbol.dispose or Symbol.asyncDispose; `never` if the lib has none. */
type KeyOf<Symbols, Name extends string> = Symbols extends { readonly [K in Name]: infer Key }
  ? Key & symbol
  : never;

/** What `using` calls; nothing if the lib does not know it. */
export type SyncDisposal = { [K in KeyOf<SymbolConstructor, "dispose">]: () => void };

/** What `await using` calls; nothing if the lib does not know it. */
export type AsyncDisposal = {
  [K in KeyOf<SymbolConstructor, "asyncDispose">]: () => PromiseLike<void>;
};

/** The runtime's symbol, or the one that Babel and esbuild use where it has none. */
function symbolOf(name: "dispose" | "asyncDispose"): symbol {
  const known = (Symbol as { readonly [K in typeof name]?: symbol })[name];
  return known ?? Symbol.for(`Symbol.${name}`);
}

function define(target: object, name: "dispose" | "asyncDispose", value: unknown): void {
  const property = { value, writable: true, configurable: true };
  Object.defineProperty(target, symbolOf(name), property);
}

/** The block of a `using` or `await using` ends it by `dispose`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the static block defines the members.
export abstract class Disposable {
  static {
    define(Disposable.prototype, "dispose", function (this: Disposable): void {
      this.dispose();
    });
    define(Disposable.prototype, "asyncDispose", async function (this: Disposable): Promise<void> {
      this.dispose();
    });
  }

  abstract dispose(): void;
}

/** The block of an `await using` ends it by `cancel`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the static block defines the members.
export abstract class Cancellable {
  static {
    define(Cancellable.prototype, "asyncDispose", function (this: Cancellable): Promise<void> {
      return this.cancel();
    });
  }

  abstract cancel(): Promise<void>;
}

export interface Disposable extends SyncDisposal, AsyncDisposal {}
export interface Cancellable extends AsyncDisposal {}
