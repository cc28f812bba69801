/**
 * Reads the settings file: TOML, checked by the one schema in settings/schema.ts. A bad file is
 * refused with all its faults at once, each with its line.
 *
 * *Knows*: limits and the files of settings/. *Does not know*: any other room.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { checkValues } from "./settings/check.ts";
import { whyUnreadable } from "./settings/certificate_files.ts";
import { effectiveSettings, type Settings } from "./settings/effective.ts";
import type { Fault } from "./settings/faults.ts";
import { brokenCertificates, brokenFiles, brokenLoginFiles } from "./settings/file_rules.ts";
import { brokenRules } from "./settings/rules.ts";
import { readToml } from "./settings/toml.ts";

export type { Settings } from "./settings/effective.ts";
export type { Binding } from "./settings/binding.ts";
export { isSocketPath, type LmtpBinding } from "./settings/lmtp_binding.ts";
export type { DirectoryTable } from "./settings/directory_tables.ts";
export { type Fault, faultText } from "./settings/faults.ts";
export type { Warning } from "./settings/warning.ts";
export { settingsWarnings } from "./settings/warnings.ts";

export interface LoadOptions {
  /**
   * Whether the user file must be there, and the certificates with their keys: true unless set.
   * Commands that only look at users or mail do without, for who runs them may not read the keys.
   */
  readonly checkFiles?: boolean;
}

/** Reads and checks a settings file; an array is what is wrong with it. `settingsWarnings` says more. */
export function loadSettings(file: string, options: LoadOptions = {}): Settings | Fault[] {
  let toml;
  try {
    toml = readFileSync(file);
  } catch (error) {
    const found = `a file that ${whyUnreadable(error)}`;
    return [{ file, line: undefined, key: undefined, found, allowed: "a settings file" }];
  }
  return readSettings(file, toml, options);
}

/** The same for the octets of a settings file that stands, or would stand, at `file`. */
export function readSettings(
  file: string,
  octets: Uint8Array,
  { checkFiles = true }: LoadOptions = {},
): Settings | Fault[] {
  const text = decodeUtf8(file, octets);
  if (typeof text !== "string") return [text];
  const document = readToml(file, text);
  const { values, faults, doubtful } = checkValues(file, document);
  const settings = effectiveSettings(file, values);
  const broken = document.isWhole
    ? [
      ...brokenRules(settings, values.maildir),
      ...(checkFiles ? brokenFiles(settings) : []),
    ]
    : [];
  const all = [
    ...document.faults,
    ...faults,
    ...broken.filter(({ key, reads = [] }) =>
      ![topLevel(key), ...reads].some((needed) => doubtful.has(needed))
    ).map((rule) => ({ file, line: lineOf(document.lines, rule.key), ...rule })),
  ];
  return all.length === 0 ? settings : all.sort(byLine);
}

/**
 * The faults of what settings name, looked at once more: for a process that has become another user since,
 * who may read less.
 */
export function fileFaults(settings: Settings, of: "certificates" | "login files"): Fault[] {
  const broken = of === "certificates" ? brokenCertificates(settings) : brokenLoginFiles(settings);
  const { file } = settings;
  return broken.map((rule) => ({ file, line: lineOfSetting(file, rule.key), ...rule }));
}

/**
 * The line of a key in a settings file that was read; undefined if the file does not have it, or cannot be
 * read any more.
 */
export function lineOfSetting(file: string, key: string): number | undefined {
  try {
    return lineOf(readToml(file, readFileSync(file, "utf8")).lines, key);
  } catch {
    return undefined;
  }
}

function decodeUtf8(file: string, octets: Uint8Array): string | Fault {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    // Decoding again with replacement characters shows where the first bad octet is.
    const before = Buffer.from(octets).toString("utf8").split("\ufffd", 1)[0] ?? "";
    const line = before.split("\n").length;
    return { file, line, key: undefined, found: "octets that are not UTF-8", allowed: "UTF-8" };
  }
}

/** The line of a key, or of the nearest table or list around it that the file has. */
function lineOf(lines: ReadonlyMap<string, number>, key: string): number | undefined {
  for (let path = key; path !== ""; path = path.replace(/(?:^|\.|\[)[^.[]*$/, "")) {
    const line = lines.get(path);
    if (line !== undefined) return line;
  }
  return undefined;
}

function topLevel(key: string): string {
  return /^[^.[]*/.exec(key)?.[0] ?? "";
}

function byLine(a: Fault, b: Fault): number {
  return (a.line ?? Infinity) - (b.line ?? Infinity) || 0;
}
