/**
 * What strace wrote, as the system calls that it tells of.
 *
 * *Knows* the text of `strace -f -yy -x -o FILE`. *Does not know* what the calls mean.
 */

import { Buffer } from "node:buffer";

export interface TracedCall {
  readonly name: string;
  /** As strace prints them. */
  readonly arguments: readonly string[];
  /** What stands behind " = ". */
  readonly result: string;
  /** The lines of the trace in which it began and ended, from 0. */
  readonly began: number;
  readonly ended: number;
}

const UNFINISHED = " <unfinished ...>";

/** All calls that came to their end, in the order of their ends. */
export function tracedCalls(trace: string): TracedCall[] {
  const calls: TracedCall[] = [];
  const begun = new Map<string, { text: string; began: number }>();
  for (const [at, line] of trace.split("\n").entries()) {
    const [, thread = "", said = ""] = /^([0-9]+) +(.*)$/.exec(line) ?? [];
    if (said.endsWith(UNFINISHED)) {
      begun.set(thread, { text: said.slice(0, -UNFINISHED.length), began: at });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(said);
    const from = resumed === null ? undefined : begun.get(thread);
    const text = resumed === null ? said : `${from?.text ?? ""}${resumed[1]}`;
    const call = callOf(text);
    if (call !== undefined) calls.push({ ...call, began: from?.began ?? at, ended: at });
  }
  return calls;
}

/** Undefined for signals, ends of processes, and calls during which their process ended. */
function callOf(text: string): Pick<TracedCall, "name" | "arguments" | "result"> | undefined {
  const name = /^(\w+)\(/.exec(text)?.[1];
  if (name === undefined) return undefined;
  const { parts, end } = argumentsIn(text, name.length + 1);
  const result = /^\)\s+= (.+)$/.exec(text.slice(end))?.[1];
  if (result === undefined || result === "?") return undefined;
  return { name, arguments: parts, result };
}

/** Parts what stands in the parentheses by its commas; `end` is the closing one. */
function argumentsIn(text: string, from: number): { parts: string[]; end: number } {
  const parts: string[] = [];
  let start = from;
  let depth = 0;
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === "<") at = endOfName(text, at);
    else if (character === "[" || character === "{" || character === "(") depth++;
    else if (depth > 0 && (character === "]" || character === "}" || character === ")")) depth--;
    else if (character === ")") break;
    else if (character === "," && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  if (at > from) parts.push(text.slice(start, at).trim());
  return { parts, end: at };
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** The end of the name of a descriptor, in which "->" and commas may stand. */
function endOfName(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === ">" && /^(?:[,)\s\]}]|$)/.test(text.slice(at + 1, at + 2))) return at;
  }
  return text.length;
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12 };

/** The octets of a string as strace prints it. Fails on one that was cut. */
export function octetsOf(printed: string): Buffer {
  if (!/^".*"$/.test(printed)) throw new Error(`strace printed no whole string: ${printed}`);
  const octets: number[] = [];
  for (const [found] of printed.slice(1, -1).matchAll(/\\x[0-9a-f]{2}|\\[0-7]{1,3}|\\.|./g)) {
    if (found[0] !== "\\") octets.push(found.charCodeAt(0));
    else if (found[1] === "x") octets.push(Number.parseInt(found.slice(2), 16));
    else if (/[0-7]/.test(found[1]!)) octets.push(Number.parseInt(found.slice(1), 8));
    else octets.push(ESCAPES[found[1]!] ?? found.charCodeAt(1));
  }
  return Buffer.from(octets);
}

/** What a descriptor stands for: the path, or `TCP:[...]`; undefined where strace does not say. */
export function nameOfDescriptor(printed: string): string | undefined {
  return /^(?:AT_FDCWD|[0-9]+)<(.*)>$/.exec(printed)?.[1];
}
