/** The look of a report, light and dark. */

type Colour = readonly [red: number, green: number, blue: number];

/** The colours of the first and last layer; those between are mixed. */
const LIGHT_LAYERS: readonly [Colour, Colour] = [
  [16, 152, 173],
  [92, 20, 140],
];
const DARK_LAYERS: readonly [Colour, Colour] = [
  [70, 220, 235],
  [190, 120, 255],
];

/** Light colours as CSS variables; those of the layers are --layer-0 and so on. */
export function lightColours(layers: number): string {
  return `--page: #fff; --text: #1b1f24; --dim: #5c6570; --grid: #e4e7eb;
  --band: #f3f5f7; --train: #3f66cc; --held: #c2480a; ${layerColours(LIGHT_LAYERS, layers)}`;
}

/** The page's CSS; the colours of the layers are the variables --layer-0 and so on. */
export function pageStyle(layers: number): string {
  return `
:root { color-scheme: light dark; ${lightColours(layers)} }
@media (prefers-color-scheme: dark) { :root { --page: #15181c; --text: #e6e9ed; --dim: #9aa4af;
  --grid: #2c323a; --band: #1e2329; --train: #7d9cf5; --held: #ff9a5c;
  ${layerColours(DARK_LAYERS, layers)} } }
body { margin: 2rem auto; max-width: 46rem; padding: 0 1rem; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; } h3 { font-size: .95rem; }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2rem; } dt, figcaption, th { color: var(--dim); }
dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
figure { margin: 0; } figcaption span { margin-right: 1rem; white-space: nowrap; }
figcaption i { display: inline-block; width: 1.1em; height: .25em; margin-right: .4em;
  vertical-align: middle; border-radius: 2px; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--dim); font-size: 12px; }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.grid { stroke: var(--grid); } .tick { stroke: var(--dim); fill: none; }
.band { fill: var(--band); stroke: var(--page); stroke-width: 2; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem 1.25rem .15rem 0; text-align: right; font-weight: normal; }
blockquote { margin: 0 0 1rem; padding-left: 1rem; border-left: 3px solid var(--grid);
  white-space: pre-wrap; overflow-wrap: anywhere; }
pre { overflow-x: auto; font-size: 12px; background: var(--band); padding: .75rem; }
`;
}

function layerColours([first, last]: readonly [Colour, Colour], layers: number): string {
  return Array.from({ length: layers }, (_, layer) => {
    const share = layers > 1 ? layer / (layers - 1) : 0;
    const mixed = first.map((value, i) => Math.round(value + (last[i] - value) * share));
    return `--layer-${layer}: rgb(${mixed.join(" ")});`;
  }).join(" ");
}
