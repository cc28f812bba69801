/**
 * Reads one command line: a keyword and what follows it.
 *
 * Keyword and arguments are parted by one or more SPACE or TAB ([MS-STANXPOP3] 2.1.1), and blanks at
 * the end of the line are ignored. PASS is the exception: exactly one of them parts, and all the rest
 * of the line is the password (V0011), so a command keeps the octets behind its first separator too.
 *
 * A line with NUL or CR in it is no command, whatever stands before them: NUL must not shorten it into
 * another one. Octets above 127 may stand in arguments, where only user names and passwords have them.
 *
 * *Does not know* which commands there are.
 */

const TAB = 9;
const SPACE = 32;

export interface Command {
  /** In upper case: RFC 1939 §3 makes keywords case-insensitive. */
  readonly keyword: string;
  /** What stands behind exactly one separator, blanks and all; undefined without a separator. */
  readonly rest: Uint8Array | undefined;
}

/** - `empty`: nothing there. - `octets`: NUL, CR. - `keyword`: does not begin with a keyword. */
export type CommandFault = { readonly fault: "empty" | "octets" | "keyword" };

/** Reads a line without its line end. */
export function parseCommand(line: Uint8Array): Command | CommandFault {
  if (line.length === 0) return { fault: "empty" };
  let keywordEnd = line.length;
  for (let at = 0; at < line.length; at++) {
    const octet = line[at]!;
    if (octet === 0 || octet === 13) return { fault: "octets" };
    if (isBlank(octet) && keywordEnd === line.length) keywordEnd = at;
  }
  if (keywordEnd === 0) return { fault: "keyword" };
  for (let at = 0; at < keywordEnd; at++) {
    if (!isLetterOrDigit(line[at]!)) return { fault: "keyword" };
  }
  return {
    keyword: text(line.subarray(0, keywordEnd)).toUpperCase(),
    rest: keywordEnd < line.length ? line.subarray(keywordEnd + 1) : undefined,
  };
}

/** The arguments of a command, split at runs of blanks; none if only blanks follow the keyword. */
export function splitArguments(command: Command): Uint8Array[] {
  const found: Uint8Array[] = [];
  const rest = command.rest;
  if (rest === undefined) return found;
  let from = 0;
  for (let at = 0; at <= rest.length; at++) {
    if (at < rest.length && !isBlank(rest[at]!)) continue;
    if (at > from) found.push(rest.subarray(from, at));
    from = at + 1;
  }
  return found;
}

/**
 * An argument as text, one character an octet: what is not ASCII matches no keyword or number.
 * For arguments, which are short: a loop is then four times as fast as a decoder.
 */
export function text(octets: Uint8Array): string {
  let characters = "";
  for (let at = 0; at < octets.length; at++) characters += String.fromCharCode(octets[at]!);
  return characters;
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

function isLetterOrDigit(octet: number): boolean {
  const lower = octet | 32;
  return (lower >= 97 && lower <= 122) || (octet >= 48 && octet <= 57);
}
