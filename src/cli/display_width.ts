/**
 * How many columns of a terminal a text takes: Chinese, Japanese and Korean characters and most emoji
 * take two, combining marks none (Unicode Standard Annex #11).
 */

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Scripts whose characters are wide, and the blocks of wide punctuation, signs and forms. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\p{Script=Tangut}\u3000-\u303e\u3200-\u33ff\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;
/** Half-width forms of wide scripts. */
const HALF_WIDTH = /^[\uff61-\uffdc]/u;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u;
/** A character that is text by itself and an emoji by the selector that follows. */
const EMOJI_SELECTED = /^.\ufe0f/u;

/** Columns that a text without control characters takes. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += graphemeWidth(segment);
  return columns;
}

/** The text in exactly `columns` columns: filled with spaces, or cut with an ellipsis. */
export function fit(text: string, columns: number, align: "left" | "right" = "left"): string {
  const cut = truncate(text, columns);
  const fill = " ".repeat(Math.max(0, columns - displayWidth(cut)));
  return align === "left" ? cut + fill : fill + cut;
}

/** The text in at most `columns` columns; what was cut off ends with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const width = graphemeWidth(segment);
    if (used + width > columns - 1) break;
    kept += segment;
    used += width;
  }
  return columns > 0 ? `${kept}\u2026` : "";
}

function graphemeWidth(grapheme: string): number {
  if (HALF_WIDTH.test(grapheme)) return 1;
  if (WIDE.test(grapheme) || EMOJI_SELECTED.test(grapheme)) return 2;
  return NO_WIDTH.test(grapheme) ? 0 : 1;
}
