/** `format`: strict patterns, each of which only texts that validators accept match. */
import { matchWhole } from "../regex/compile.js";
import type { Keywords } from "./keywords.js";
import { refuse, type TextsRule } from "./node.js";
import { once } from "./once.js";

const YEAR = "\\d{4}";
const LEAP_YEAR = "(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)";
const DATE = [
  `${YEAR}-(0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])`,
  `${YEAR}-(0[469]|11)-(0[1-9]|[12]\\d|30)`,
  `${YEAR}-02-(0[1-9]|1\\d|2[0-8])`,
  `${LEAP_YEAR}-02-29`,
].join("|");
const CLOCK = "([01]\\d|2[0-3]):[0-5]\\d";
const TIME = `${CLOCK}:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]${CLOCK})`;

const TIME_SPAN = "T(\\d+H(\\d+M(\\d+S)?)?|\\d+M(\\d+S)?|\\d+S)";
const DATE_SPAN = "(\\d+Y(\\d+M(\\d+D)?)?|\\d+M(\\d+D)?|\\d+D)";

/** At most 39 characters, so that six labels are no longer than a host's name may be. */
const LABEL = "[A-Za-z0-9](-?[A-Za-z0-9]){0,19}";
const HOST = `${LABEL}(\\.${LABEL}){0,5}`;
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}";
const EMAIL = `${ATOM}(\\.${ATOM}){0,2}@${LABEL}(\\.${LABEL}){1,5}`;

const IPV4 = "((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

const GROUP = "[0-9A-Fa-f]{1,4}";
const groups = (count: number): string => (count === 0 ? "" : `${GROUP}(:${GROUP}){${count - 1}}`);

/** Eight groups, or fewer around "::". */
function ipv6(): string {
  const forms = [groups(8)];
  for (let before = 0; before <= 7; before++) {
    for (let after = 0; before + after <= 7; after++)
      forms.push(`${groups(before)}::${groups(after)}`);
  }
  return forms.join("|");
}

const PATH_CHARACTER = "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const URI =
  `[A-Za-z][A-Za-z0-9+.-]*://${HOST}(:\\d{1,5})?(/${PATH_CHARACTER}*)*` +
  `(\\?(${PATH_CHARACTER}|[/?])*)?(#(${PATH_CHARACTER}|[/?])*)?`;

const HEX = "[0-9A-Fa-f]";

const FORMATS: ReadonlyMap<unknown, TextsRule> = new Map(
  [
    ["date", DATE],
    ["time", TIME],
    ["date-time", `(${DATE})T${TIME}`],
    ["duration", `P(${DATE_SPAN}(${TIME_SPAN})?|${TIME_SPAN}|\\d+W)`],
    ["email", EMAIL],
    ["hostname", HOST],
    ["ipv4", IPV4],
    ["ipv6", ipv6()],
    ["uri", URI],
    ["uuid", `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`],
  ].map(([name, pattern]) => [
    name,
    { kind: "texts", keyword: "format", dfa: once(() => matchWhole(pattern)) },
  ]),
);

/** What a schema's format demands of strings. */
export function readFormat(keywords: Keywords): TextsRule[] {
  const name = keywords.get("format");
  if (name === undefined) return [];
  if (typeof name !== "string") throw keywords.wrong("format", "a format's name");
  const rule = FORMATS.get(name);
  if (rule === undefined) throw refuse("format", keywords.place, name);
  return [rule];
}
