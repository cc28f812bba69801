/**
 * The inputs that are kept for a target, and the words of its format, as corpus/NAME.txt has them:
 *
 *     # whatever has to be said of the file
 *     word "TCP4"
 *     seed a client behind a proxy
 *       "PROXY TCP4 192.0.2.1 198.51.100.1 49152 110\r\n"
 *     found a zone in an address was taken
 *       "PROXY TCP6 "
 *       hex 66 65 38 30
 *
 * Octets are text in quotes as JSON has it, a character an octet, or hexadecimal digits; several lines are
 * one input. What was `found` once is what popkeep did then, and is tried for ever.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";

export interface KeptInput {
  readonly kind: "seed" | "found";
  /** What it is, or the symptom by which it was found. */
  readonly what: string;
  readonly octets: Uint8Array;
}

export interface Corpus {
  readonly inputs: readonly KeptInput[];
  readonly words: readonly Uint8Array[];
}

/** @throws {Error} If there is no such file, or a line of it is none of these. */
export function readCorpus(name: string): Corpus {
  return parseCorpus(readFileSync(new URL(`corpus/${name}.txt`, import.meta.url), "utf8"));
}

export function parseCorpus(text: string): Corpus {
  const inputs: { kind: "seed" | "found"; what: string; octets: Uint8Array }[] = [];
  const words: Uint8Array[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [, begun, what = ""] = /^(seed|found) (.+)$/.exec(line) ?? [];
    const [, word] = /^word (.+)$/.exec(line) ?? [];
    const [, more] = /^ {2}(\S.*)$/.exec(line) ?? [];
    const last = inputs.at(-1);
    if (begun === "seed" || begun === "found") {
      inputs.push({ kind: begun, what, octets: new Uint8Array() });
    } else if (word !== undefined) words.push(parseOctets(word));
    else if (more !== undefined && last !== undefined) {
      last.octets = Buffer.concat([last.octets, parseOctets(more)]);
    } else if (!/^(?:#.*)?$/.test(line)) throw new Error(`Line ${index + 1} is none: ${line}`);
  }
  return { inputs, words };
}

function parseOctets(text: string): Uint8Array {
  const [, hex] = /^hex ([0-9A-Fa-f ]+)$/.exec(text) ?? [];
  if (hex !== undefined) return Buffer.from(hex.replaceAll(" ", ""), "hex");
  const said: unknown = JSON.parse(text);
  // deno-lint-ignore no-control-regex -- a character an octet
  if (typeof said !== "string" || !/^[\x00-\xff]*$/.test(said)) {
    throw new Error(`No octets: ${text}`);
  }
  return Buffer.from(said, "latin1");
}

/** An input as a corpus file has it. */
export function writtenInput(kind: "seed" | "found", what: string, octets: Uint8Array): string {
  const text = Buffer.from(octets).toString("latin1");
  const readable = text.replace(/[^\x20-\x7e]/g, "").length * 2 >= text.length;
  const lines: string[] = [];
  const step = readable ? 76 : 32;
  for (let at = 0; at < octets.length || at === 0; at += step) {
    const part = octets.subarray(at, at + step);
    lines.push(readable ? `  ${quoted(part)}` : `  hex ${Buffer.from(part).toString("hex")}`);
  }
  return `${kind} ${what}\n${lines.join("\n")}\n`;
}

function quoted(octets: Uint8Array): string {
  return JSON.stringify(Buffer.from(octets).toString("latin1")).replace(
    /[\x7f-\xff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
