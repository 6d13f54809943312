/** What the page has to say beside its work: each sentence once. */
import { signal } from "@preact/signals";

export interface Notice {
  readonly text: string;
  readonly isError: boolean;
}

export const notices = signal<readonly Notice[]>([]);

const said = new Set<string>();

/** Says something that holds for the whole visit, such as what this browser lacks. */
export function inform(text: string): void {
  if (said.has(text)) return;
  said.add(text);
  notices.value = [...notices.value, { text, isError: false }];
}

/** Says what went wrong; the same again replaces what is still shown. */
export function reportError(text: string): void {
  const others = notices.value.filter((notice) => notice.text !== text);
  notices.value = [...others, { text, isError: true }];
}

export function dismiss(notice: Notice): void {
  notices.value = notices.value.filter((each) => each !== notice);
}
