/**
 * What is kept of failed logins over a restart, and its text: `failed_logins.json` in the state folder.
 *
 *     {"version": 1, "key": "...",           the key of all digests
 *      "failures_of_address": [["digest", count, until], ...],
 *      "failures_of_site": ..., "failures_of_account": ..., "failures_of_pair": ..., "forgiven": ...,
 *      "blocked_addresses": ..., "blocked_accounts": ...,
 *      "known_logins": [["digest", time], ...]}
 *
 * Times are ms since 1970. There are no names and no addresses in it.
 *
 * *Knows* the form. *Does not know* what is too old: who takes it back looks.
 */

import { setImmediate as othersTurn } from "node:timers/promises";
import type { KeptCount } from "./counts.ts";
import { DIGEST_TEXT, GuessingKeys } from "./keys.ts";
import type { KeptLogin } from "./known_logins.ts";

const VERSION = 1;

export interface KeptFailures {
  readonly key: string;
  readonly counts: Readonly<Record<CountsName, readonly KeptCount[]>>;
  readonly knownLogins: readonly KeptLogin[];
}

export const COUNTS_NAMES = [
  "failures_of_address",
  "failures_of_site",
  "failures_of_account",
  "failures_of_pair",
  "forgiven",
  "blocked_addresses",
  "blocked_accounts",
] as const;

export type CountsName = typeof COUNTS_NAMES[number];

/** Where the lists are had from. */
export interface Dumped {
  counts(name: CountsName): { dump(): readonly KeptCount[] };
  readonly knownLogins: { dump(): readonly KeptLogin[] };
}

/** The text. Others have their turn after each list, since under attack each is a few milliseconds of work. */
export async function encodeKeptFailures(key: string, logins: Dumped): Promise<string> {
  const parts = [JSON.stringify({ version: VERSION, key }).slice(0, -1)];
  for (const name of COUNTS_NAMES) {
    parts.push(`"${name}":${JSON.stringify(logins.counts(name).dump())}`);
    await othersTurn();
  }
  parts.push(`"known_logins":${JSON.stringify(logins.knownLogins.dump())}}\n`);
  return parts.join(",");
}

/** Undefined if the text is not of the form, wholly. */
export function parseKeptFailures(text: string): KeptFailures | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) return undefined;
  const fields = read as Record<string, unknown>;
  const { version, key, known_logins: knownLogins } = fields;
  if (version !== VERSION || !GuessingKeys.isKey(key)) return undefined;
  if (!isListOf(knownLogins, isKeptLogin)) return undefined;
  const counts: Partial<Record<CountsName, readonly KeptCount[]>> = {};
  for (const name of COUNTS_NAMES) {
    const list = fields[name];
    if (!isListOf(list, isKeptCount)) return undefined;
    counts[name] = list;
  }
  return { key, counts: counts as Record<CountsName, readonly KeptCount[]>, knownLogins };
}

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}

function isKeptCount(value: unknown): value is KeptCount {
  return Array.isArray(value) && value.length === 3 && isDigest(value[0]) &&
    isWhole(value[1], 1_000_000_000) && isWhole(value[2]);
}

function isKeptLogin(value: unknown): value is KeptLogin {
  return Array.isArray(value) && value.length === 2 && isDigest(value[0]) && isWhole(value[1]);
}

function isDigest(value: unknown): value is string {
  return typeof value === "string" && DIGEST_TEXT.test(value);
}

function isWhole(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
}
