/** Text in HTML. */

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" },
};

/**
 * The text as HTML and XML show it, also inside quotes. Control characters and lone surrogates,
 * which neither may have, become U+FFFD.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character])
    .replace(/[^\P{Cc}\n\t]|[\p{Cs}\ufffe\uffff]/gu, "\ufffd");
}
