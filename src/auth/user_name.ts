/** Which names a user may have: what a user file can hold and what is safe in a path. */

import { Buffer } from "node:buffer";
import { USER_NAME_OCTETS } from "../limits.ts";

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
