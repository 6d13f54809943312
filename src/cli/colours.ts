/** Colours, on terminals only: NO_COLOR, FORCE_COLOR and TERM=dumb are respected, as Node does. */
import type { WriteStream } from "node:tty";

/** Styles and the codes that begin and end them. */
const STYLES = { dim: [2, 22], red: [31, 39], cyan: [36, 39] } as const;

/** The text in a style if the stream shows colours, else as it is. */
export function styled(
  style: keyof typeof STYLES,
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  if (!hasColours(stream)) return text;
  const [begin, end] = STYLES[style];
  return `\u001b[${begin}m${text}\u001b[${end}m`;
}

function hasColours(stream: WriteStream): boolean {
  return stream.isTTY === true && stream.hasColors();
}
