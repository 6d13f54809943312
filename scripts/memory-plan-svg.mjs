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

function bar(y, title, sizes) {
  let x = 20;
  let svg = `<text x="20" y="${y - 8}" font-weight="600">${title}</text>\n`;
  for (const [name, bytes] of Object.entries(sizes)) {
    const width = Math.max(2, bytes * scale);
    svg += `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="36" fill="${colours[name]}"/>\n`;
    if (width > 120) {
      svg += `<text x="${(x + 10).toFixed(1)}" y="${y + 23}" fill="#fff">${name} ${megabytes(bytes)}</text>\n`;
    }
    x += width;
  }
  return svg;
}

const legend = Object.entries(parts)
  .map(([name, bytes], i) => {
    const x = 20 + i * 220;
    return `<rect x="${x}" y="196" width="12" height="12" fill="${colours[name]}"/><text x="${x + 18}" y="207">${name} ${megabytes(bytes)}</text>`;
  })
  .join("\n");

writeFileSync(
  "docs/memory-plan.svg",
  `<!-- Made by scripts/memory-plan-svg.mjs from a PLM-1.8B Q8_0 file. -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 224" font-family="system-ui, sans-serif" font-size="14">
<rect width="680" height="224" fill="#fff"/>
${bar(36, `plm-wasm: one memory, ${positions.toLocaleString("en")} positions in a latent cache (${plan.options.cacheType})`, parts)}
${bar(120, "the same, caching full keys and values in f16", { ...parts, cache: keysAndValues })}
${legend}
</svg>
`,
);
