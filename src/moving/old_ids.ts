/** What the old server called the messages that are in a Maildir: what every reader of this room brings. */

export interface OldIds {
  /** By row of the present messages, a character an octet; undefined where the old server has none. */
  readonly ids: readonly (string | undefined)[];
  /** Rows that have one, in the order in which the old server listed them. */
  readonly order: readonly number[];
  /** What is odd about where they were read, and what was made of it: a clause each. */
  readonly remarks: readonly string[];
}

/** The old server's list, or what stands in its place, cannot be used; nothing was imported from it. */
export class OldListFault extends Error {
  override readonly name = "OldListFault";
  /** Whether there is nothing at all: nobody may ever have used POP3 there. */
  readonly isMissing: boolean;

  constructor(
    message: string,
    { isMissing = false, cause }: { isMissing?: boolean; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.isMissing = isMissing;
  }
}

/** A number of things, and what is said of them where there are any. */
export function remarkOf(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? "line" : "lines"} of it ${what}`];
}
