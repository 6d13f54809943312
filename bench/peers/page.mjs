// The page's side: loads an engine with the input's file, and answers the calls of chromium.mjs.
let engine;

globalThis.peers = {
  /** Loads an engine and returns its description. */
  async load({ module, ...spec }) {
    const { load } = await import(`./engines/${module}.mjs`);
    engine = await load({ ...spec, model: document.getElementById("model").files[0] });
    return engine.about;
  },
  prefill: (prompt) => engine.prefill(prompt),
  decode: (context, steps) => engine.decode(context, steps),
};
