/**
 * The web's types that public declarations name, for programs whose libraries do not declare them
 * (TypeScript's "dom", @types/node). Where they do, each interface merges with theirs.
 */
declare global {
  interface AbortSignal {
    readonly aborted: boolean;
  }
  interface Blob {
    readonly size: number;
  }
  interface URL {
    href: string;
  }
  // biome-ignore lint/suspicious/noExplicitAny: as "dom" has it
  interface ReadableStream<R = any> {
    readonly locked: boolean;
  }
  interface Request {
    readonly url: string;
  }
  interface Response {
    readonly status: number;
  }
  namespace WebAssembly {
    interface Memory {
      grow(delta: number): number;
    }
    interface Module {}
  }
}

/** Bytes in an unshared buffer; before TypeScript 5.7 this is the same type as any bytes. */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["from"]>;
