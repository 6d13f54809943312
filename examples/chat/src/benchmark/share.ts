/** Hands a chart out as a file. */

/** The chart is drawn at twice its size. */
const SCALE = 2;

export function saveSvg(chart: string, name: string): void {
  save(new Blob([chart], { type: "image/svg+xml" }), `${name}.svg`);
}

export async function savePng(chart: string, name: string): Promise<void> {
  const url = URL.createObjectURL(new Blob([chart], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth * SCALE;
    canvas.height = image.naturalHeight * SCALE;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    if (png) save(png, `${name}.png`);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
