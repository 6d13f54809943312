import { report } from "./report.mjs";

/** Puts the result or the error into the page's title. */
export function show(load, worker) {
  const set = (text) => {
    document.title = text;
  };
  report(load, worker).then(set, (error) => set(JSON.stringify({ error: error.stack })));
}
