// Writes docs/memory-plan.svg: the memory plan of a model file, beside the same file with keys and
// values cached in full. Usage: node scripts/memory-plan-svg.mjs MODEL.gguf
import { writeFileSync } from "node:fs";
import { inspectModel } from "../build/src/index.js";

const { plan } = await inspectModel(process.argv[2]);
const { config } = plan;
const positions = plan.options.contextLength;
const heads = config.numAttentionHeads;
const keysAndValues =
  config.numHiddenLayers *
  positions *
  heads *
  (config.qkNopeHeadDim + config.qkRopeHeadDim + config.vHeadDim) *
  2;
const parts = {
  weights: plan.memory.bytes("weights"),
  cache: plan.memory.bytes("cache"),
  scratch: plan.memory.bytes("scratch"),
};
const colours = { weights: "#4c6ef5", cache: "#f59f00", scratch: "#adb5bd" };
const megabytes = (bytes) => `${Math.round(bytes / 1e6).toLocaleString("en")} MB`;
const full = parts.weights + keysAndValues + parts.scratch;
const scale = 640 / full;

/** One part of a bar: a box, and its name where there is room. */
function box(x, y, name, bytes) {
  const width = Math.max(2, bytes * scale);
  const place = `x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="36"`;
  const rect = `<rect ${place} fill="${colours[name]}"/>`;
  if (width <= 120) return { width, svg: rect };
  const label = `${name} ${megabytes(bytes)}`;
  const text = `<text x="${(x + 10).toFixed(1)}" y="${y + 23}" fill="#fff">${label}</text>`;
  return { width, svg: `${rect}\n${text}` };
}

/** A titled row of boxes. */
function bar(y, title, sizes) {
  const lines = [`<text x="20" y="${y - 8}" font-weight="600">${title}</text>`];
  let x = 20;
  for (const [name, bytes] of Object.entries(sizes)) {
    const { width, svg } = box(x, y, name, bytes);
    lines.push(svg);
    x += width;
  }
  return lines.join("\n");
}

const legend = Object.entries(parts)
  .map(([name, bytes], i) => {
    const x = 20 + i * 220;
    const rect = `<rect x="${x}" y="196" width="12" height="12" fill="${colours[name]}"/>`;
    return `${rect}<text x="${x + 18}" y="207">${name} ${megabytes(bytes)}</text>`;
  })
  .join("\n");

const title =
  `plm-wasm: one memory, ${positions.toLocaleString("en")} positions ` +
  `in a latent cache (${plan.options.cacheType})`;
writeFileSync(
  "docs/memory-plan.svg",
  `<!-- Made by scripts/memory-plan-svg.mjs from a PLM-1.8B Q8_0 file. -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 224"
  font-family="system-ui, sans-serif" font-size="14" role="img">
<title>The memory plan of PLM-1.8B in Q8_0, and what full keys and values would take</title>
<rect width="680" height="224" fill="#fff"/>
${bar(36, title, parts)}
${bar(120, "the same, caching full keys and values in f16", { ...parts, cache: keysAndValues })}
${legend}
</svg>
`,
);
