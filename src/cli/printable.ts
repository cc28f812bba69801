/**
 * Makes text that strangers wrote fit to show: mail can hold sequences that steer a terminal.
 *
 * *Knows*: characters. *Does not know*: where they come from.
 */

/** Control characters, line and paragraph separators, text direction, and halves of characters. */
const UNPRINTABLE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;

/** The text on one line, with nothing in it that a terminal obeys. White space becomes a space. */
export function printable(text: string): string {
  return text.replace(/[\t\r\n]+/g, " ").replace(UNPRINTABLE, "\ufffd").trim();
}

/** JSON that is safe to show as well: JSON.stringify leaves all but the first 32 control characters raw. */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value, undefined, 2);
  return json.replace(UNPRINTABLE, (character) => {
    if (character === "\n") return character; // the layout's own
    return [...character].flatMap((part) =>
      Array.from(
        { length: part.length },
        (_, index) => `\\u${part.charCodeAt(index).toString(16).padStart(4, "0")}`,
      )
    ).join("");
  }) + "\n";
}
