/** Takes out of a report where the package and the user's files lie. */
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";

/** The folder of the package, in which build/ lies. */
const PACKAGE = new URL("../../../../", import.meta.url);

/** A copy of plain data whose texts name no place: errors of a runtime may. */
export function withoutPaths<T extends object>(data: T): T {
  const places: [place: string, name: string][] = [
    [PACKAGE.href, "plm-wasm/"],
    [fileURLToPath(PACKAGE), "plm-wasm/"],
    [homedir(), "~"],
  ];
  const known = places.filter(([place]) => place.length > 1);
  return JSON.parse(JSON.stringify(data), (_, value: unknown) => {
    if (typeof value !== "string") return value;
    return known.reduce((text, [place, name]) => text.replaceAll(place, name), value);
  }) as T;
}
