/** Which names and paths lead nowhere but where they say. Pure. */

import { Buffer } from "node:buffer";

/** Longest part, octets: what filesystems take as one name. */
export const PART_OCTETS = 255;

// deno-lint-ignore no-control-regex -- control characters are what is refused
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * The text, if it can be a folder's name: not empty, at most 255 octets, without a slash or a control
 * character, and not beginning with a dot.
 */
export function safePart(text: string): string | undefined {
  if (text === "" || text.startsWith(".") || text.includes("/") || CONTROL.test(text)) {
    return undefined;
  }
  return Buffer.byteLength(text, "utf8") > PART_OCTETS ? undefined : text;
}

/**
 * The path without a slash at its end, if it is absolute and goes down only; undefined for others, and
 * for the root of the file system.
 */
export function plainPath(path: string): string | undefined {
  if (!path.startsWith("/") || CONTROL.test(path)) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return undefined;
  if (parts.some((part) => Buffer.byteLength(part, "utf8") > PART_OCTETS)) return undefined;
  return parts.length === 0 ? undefined : `/${parts.join("/")}`;
}
