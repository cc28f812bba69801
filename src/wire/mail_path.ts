/**
 * Reads the arguments of MAIL and RCPT (RFC 5321 §4.1.2, §4.1.1.11): a path in angle brackets, and parameters.
 *
 * What stands in the path is hardly judged: strangers choose senders, and mail with an odd one is mail all the
 * same, also where no header could name it. Names without a domain are taken too; some mail systems hand over
 * users by their plain names.
 */

export interface MailPath {
  /** What is between the brackets, without a source route; "" is the null sender. */
  readonly address: string;
  /** By keyword in upper case; true where there is no value. */
  readonly parameters: ReadonlyMap<string, string | true>;
  /** The keyword of a parameter that is there twice. */
  readonly duplicate?: string;
}

const BEGINNINGS = {
  "MAIL FROM": /^MAIL[ \t]+FROM[ \t]*:[ \t]*</i,
  "RCPT TO": /^RCPT[ \t]+TO[ \t]*:[ \t]*</i,
} as const;

/** What must be accepted and ignored (RFC 5321 appendix C): `@one.example,@two.example:`. */
const SOURCE_ROUTE = /^@[^\s,:@"]+(?:,@[^\s,:@"]+)*:/;

const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=(.*))?$/s;

/** Undefined if the line is no such command. */
export function parseMailPath(
  line: string,
  command: keyof typeof BEGINNINGS,
): MailPath | undefined {
  const begin = BEGINNINGS[command].exec(line)?.[0].length;
  if (begin === undefined) return undefined;
  const end = pathEnd(line, begin);
  if (end === undefined) return undefined;
  const behind = line.slice(end + 1);
  if (behind !== "" && !/^[ \t]/.test(behind)) return undefined;
  const parameters = new Map<string, string | true>();
  let duplicate: string | undefined;
  for (const word of behind.split(/[ \t]+/)) {
    if (word === "") continue;
    const [, name, value] = PARAMETER.exec(word) ?? [];
    if (name === undefined) return undefined;
    const keyword = name.toUpperCase();
    if (parameters.has(keyword)) duplicate = keyword;
    parameters.set(keyword, value === undefined || value === "" ? true : value);
  }
  const address = line.slice(begin, end).replace(SOURCE_ROUTE, "");
  return { address, parameters, ...(duplicate === undefined ? {} : { duplicate }) };
}

/** Where the bracket is that closes the path: none in a quoted string does. */
function pathEnd(line: string, begin: number): number | undefined {
  let isQuoted = false;
  for (let at = begin; at < line.length; at++) {
    const character = line[at];
    if (isQuoted && character === "\\") at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === ">") return at;
    else if (!isQuoted && character === "<") return undefined;
  }
  return undefined;
}

/** The address that is meant: `"alice smith"@example.com` is alice smith@example.com (RFC 5321 §4.1.2). */
export function unquotedAddress(address: string): string {
  const [, quoted, domain] = /^"((?:[^"\\]|\\[^])*)"(@.*)?$/s.exec(address) ?? [];
  if (quoted === undefined) return address;
  return quoted.replace(/\\([^])/g, "$1") + (domain ?? "");
}
