/**
 * What a user with some name and password will not be able to do, though nothing is wrong with either:
 * send them. USER and PASS are lines of limited length with a blank before what they carry.
 *
 * *Knows*: what the commands can carry. *Does not know*: settings, files.
 */

import { Buffer } from "node:buffer";

/** Octets of a command beside its argument: keyword, blank, CRLF. */
const AROUND_ARGUMENT = "USER \r\n".length;

/** Sentences for whoever names the user and chooses the password; never with the password in them. */
export function sendingWarnings(
  { user, password }: { readonly user: string; readonly password: Uint8Array },
  maxCommandOctets: number,
): string[] {
  const warnings: string[] = [];
  const fits = (octets: number) => octets + AROUND_ARGUMENT <= maxCommandOctets;
  if (/\s/.test(user)) warnings.push("USER cannot send a name with a blank in it; AUTH PLAIN can");
  if (!fits(Buffer.byteLength(user, "utf8"))) {
    warnings.push(`USER cannot send a name as long in ${maxCommandOctets} octets; AUTH PLAIN can`);
  }
  if (!fits(password.length)) {
    warnings.push(
      `PASS cannot send a password as long in ${maxCommandOctets} octets (max_command_size); ` +
        "AUTH PLAIN can",
    );
  }
  if (!isUtf8(password)) {
    warnings.push("the password is not UTF-8: PASS can send it, AUTH PLAIN not");
  }
  return warnings;
}

function isUtf8(octets: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(octets);
    return true;
  } catch {
    return false;
  }
}
