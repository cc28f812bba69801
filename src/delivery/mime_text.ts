/**
 * Text in mail that may be no ASCII: encoded words in a header (RFC 2047), quoted-printable behind it (RFC 2045
 * §6.7). Pure.
 */

import { Buffer } from "node:buffer";

/** What an encoded word may take, with what is around it (RFC 2047 §2). */
const WORD_CHARACTERS = 75;

/** `=?utf-8?B?` and `?=`. */
const AROUND_WORD = 12;

/** Octets of base64 text that fit in a word: whole groups of three. */
const WORD_OCTETS = Math.floor((WORD_CHARACTERS - AROUND_WORD) / 4) * 3;

/** Lines that need not be folded (RFC 5322 §2.1.1). */
const LINE_CHARACTERS = 78;

/** Longest line of quoted-printable, with the `=` that ends a soft one. */
const QUOTED_CHARACTERS = 76;

const NOT_ASCII = /[\u{80}-\u{10ffff}]/u;

const ADDRESS_FIELDS = new Set(["from", "to", "cc", "bcc", "sender", "reply-to"]);

/** Whether a field holds addresses, of which only names may be encoded. */
export function isAddressField(field: string): boolean {
  return ADDRESS_FIELDS.has(field.toLowerCase());
}

/**
 * The value of a field, folded and in ASCII.
 *
 * @param used Characters of the first line that are taken.
 */
export function encodeHeaderText(value: string, isAddresses: boolean, used: number): string {
  // deno-lint-ignore no-control-regex -- control characters are what is taken out
  const plain = value.replace(/[\x00-\x1f\x7f]+/g, " ").trim();
  const words = isAddresses ? encodedNames(plain) : isAscii(plain) ? plain : encodedWords(plain);
  return folded(words, used);
}

function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/** `Jörg <joerg@example.com>`: names may be encoded, and nothing else of an address. */
function encodedNames(text: string): string {
  if (isAscii(text)) return text;
  const named = text.split(",").map((part) => {
    const name = part.slice(0, Math.max(0, part.indexOf("<"))).replaceAll('"', "").trim();
    if (isAscii(name)) return part.trim();
    return `${encodedWords(name)} ${part.slice(part.indexOf("<"))}`;
  }).join(", ");
  return named.replaceAll(new RegExp(NOT_ASCII, "gu"), "?");
}

function encodedWords(text: string): string {
  const words: string[] = [];
  let part = "";
  for (const character of text) {
    if (Buffer.byteLength(part + character, "utf8") > WORD_OCTETS) {
      words.push(part);
      part = "";
    }
    part += character;
  }
  words.push(part);
  return words.map((word) => `=?utf-8?B?${Buffer.from(word, "utf8").toString("base64")}?=`)
    .join(" ");
}

/** Broken at blanks, so that lines have 78 characters where words are no longer. */
function folded(text: string, used: number): string {
  let column = used;
  return text.split(" ").map((word, at) => {
    const isBroken = at > 0 && column + 1 + word.length > LINE_CHARACTERS && word !== "";
    column = isBroken ? 1 + word.length : column + (at > 0 ? 1 : 0) + word.length;
    return at === 0 ? word : `${isBroken ? "\n" : ""} ${word}`;
  }).join("");
}

export interface EncodedText {
  readonly encoding: "7bit" | "quoted-printable";
  readonly octets: Buffer;
}

/** A text with LF at line ends, the last one too. */
export function encodeText(text: string): EncodedText {
  const whole = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  const isPlain = isAscii(whole) &&
    whole.split("\n").every((line) => line.length <= LINE_CHARACTERS);
  if (isPlain) return { encoding: "7bit", octets: Buffer.from(whole, "latin1") };
  const lines = whole.split("\n").map(quotedLine).join("\n");
  return { encoding: "quoted-printable", octets: Buffer.from(lines, "latin1") };
}

function quotedLine(line: string): string {
  const octets = Buffer.from(line, "utf8");
  let quoted = "";
  let column = 0;
  octets.forEach((octet, at) => {
    const isLast = at === octets.length - 1;
    const isBlank = octet === 0x20 || octet === 0x09;
    const isSafe = isBlank ? !isLast : octet > 0x20 && octet < 0x7f && octet !== 0x3d;
    const piece = isSafe
      ? String.fromCharCode(octet)
      : `=${octet.toString(16).toUpperCase().padStart(2, "0")}`;
    // Room for the "=" of a soft line break, unless the line ends here.
    if (column + piece.length > QUOTED_CHARACTERS - (isLast ? 0 : 1)) {
      quoted += "=\n";
      column = 0;
    }
    quoted += piece;
    column += piece.length;
  });
  return quoted;
}
