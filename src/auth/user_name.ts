/** Which names a user may have, by what a user file can hold and what is safe in a path; and which are one. */

import { Buffer } from "node:buffer";
import { USER_NAME_OCTETS } from "../limits.ts";

/**
 * The form in which names are compared and looked up. Everybody who has a name goes by it in any letter
 * case, and nobody is told apart by it from who has none.
 */
export function foldedName(name: string): string {
  return name.toLowerCase();
}

/** Says why a name cannot be a user's, as "a user name ..." goes on; undefined if it can. */
export function faultOfUserName(name: string): string | undefined {
  if (name === "") return "cannot be empty";
  if (Buffer.byteLength(name, "utf8") > USER_NAME_OCTETS) {
    return `has at most ${USER_NAME_OCTETS} octets`;
  }
  if (name.includes(":")) return 'cannot have ":" in it, which ends a field of the user file';
  if (/\p{Cc}|[\u2028\u2029\ufffd]/u.test(name)) return "cannot have control characters in it";
  if (name.includes("/")) return 'cannot have "/" in it, since it may become part of a path';
  if (name.startsWith(".")) return 'cannot begin with ".", since it may become part of a path';
  if (name.startsWith("#")) return 'cannot begin with "#", which begins a comment in the user file';
  if (name !== name.trim()) return "cannot begin or end with a blank";
  return undefined;
}
