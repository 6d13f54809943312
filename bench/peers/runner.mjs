// One engine in a process of its own: loads a model once, then answers the driver's commands.
let engine;

const commands = {
  /** Loads an engine in this process or in a page, and returns its description. */
  async load({ place, ...spec }) {
    const file = place === "chromium" ? "./chromium.mjs" : `./engines/${spec.module}.mjs`;
    const { load } = await import(file);
    engine = await load(spec);
    return engine.about;
  },
  prefill: (prompt) => engine.prefill(prompt),
  decode: (context, steps) => engine.decode(context, steps),
  together: (context, steps) => engine.together(context, steps),
  first: (prompt) => engine.first(prompt),
};

process.on("message", async ({ command, args }) => {
  try {
    process.send({ result: await commands[command](...args) });
  } catch (error) {
    const message = error instanceof Error ? error.message : JSON.stringify(error);
    process.send({ error: message.split("\n", 1)[0] });
  }
});

// The driver has ended, or ends this process.
process.on("disconnect", async () => {
  await engine?.close?.();
  process.exit();
});
