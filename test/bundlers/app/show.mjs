import { report } from "./report.mjs";

/** Puts what was found, or what went wrong, into the page's title. */
export function show(load) {
  const set = (text) => {
    document.title = text;
  };
  report(load).then(set, (error) => set(JSON.stringify({ error: error.stack })));
}
