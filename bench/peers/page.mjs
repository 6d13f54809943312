// The page's side: loads one engine with the file of the input, and answers what chromium.mjs asks.
let engine;

globalThis.peers = {
  /** Loads an engine and says what it tells about itself. */
  async load({ module, ...spec }) {
    const { load } = await import(`./engines/${module}.mjs`);
    engine = await load({ ...spec, model: document.getElementById("model").files[0] });
    return engine.about;
  },
  prefill: (prompt) => engine.prefill(prompt),
  decode: (context, steps) => engine.decode(context, steps),
};
