/**
 * App passwords: secrets with a name, each for one program or device, that can be taken back one by one.
 *
 * popkeep makes them, 20 letters by chance: so many that nobody guesses one, and a single SHA-256 over
 * salt and letters keeps them as well as a slow hash would. They are shown in groups, `abcd-efgh-...`, and
 * taken as people type them: blanks and dashes count for nothing, nor does letter case. What is hashed are
 * the letters alone, lower case.
 *
 * *Knows* their form and how they are checked. *Does not know* directories or files.
 */

import { Buffer } from "node:buffer";
import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { APP_PASSWORDS_PER_USER, PASSWORD_OCTETS } from "../limits.ts";
import type { AppPassword } from "./directory.ts";

/** Lower-case letters without those that look like others in some font: i, l, o. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz";

/** 23 letters, 20 times by chance: 90 bits. */
const MADE_LETTERS = 20;

const GROUP_LETTERS = 4;

/** What can be an app password at all: shorter ones would need a slow hash. */
const SHAPE = /^[a-z0-9]{20,64}$/;

const DIGEST_OCTETS = 32;

const SALT_OCTETS = 16;

/** The only form that is taken: `{SSHA256}`, digest and salt in base64. */
const STORED = /^\{SSHA256\}([A-Za-z0-9+/]{46,}={0,2})$/i;

/** Compared where there is no app password: nothing has this digest that anybody knows. */
const NONE = Buffer.alloc(DIGEST_OCTETS + SALT_OCTETS, 0xff);

/** A new app password in the form that people see. */
export function makeAppPassword(): string {
  const letters = Array.from({ length: MADE_LETTERS }, () => LETTERS[randomInt(LETTERS.length)]);
  return letters.join("").replace(new RegExp(`.{${GROUP_LETTERS}}(?=.)`, "g"), "$&-");
}

/** What a directory keeps of an app password. */
export function storeAppPassword(secret: string): string {
  const letters = lettersOf(Buffer.from(secret, "utf8"));
  if (letters === undefined) throw new Error("Not an app password.");
  const salt = randomBytes(SALT_OCTETS);
  return `{SSHA256}${Buffer.concat([digestOf(letters, salt), salt]).toString("base64")}`;
}

/** Whether a stored one can be checked. */
export function isAppPasswordField(stored: string): boolean {
  return digestAndSalt(stored) !== undefined;
}

/** Says why an app password cannot be called so, as "its name ..." goes on; undefined if it can. */
export function faultOfAppPasswordName(name: string): string | undefined {
  if (/^[a-z0-9_-]{1,32}$/.test(name)) return undefined;
  return 'has 1 to 32 lower-case letters, digits, "-" and "_"';
}

/**
 * The name of the app password that this is; undefined if it is none of them.
 *
 * How long it takes depends on what was sent alone, not on how many there are or which is right: so it is
 * to be called with none for a user who is not there, too. Microseconds.
 */
export function matchingAppPassword(
  appPasswords: readonly AppPassword[],
  password: Uint8Array,
): string | undefined {
  const letters = lettersOf(password);
  if (letters === undefined) return undefined;
  let name: string | undefined;
  for (let at = 0; at < APP_PASSWORDS_PER_USER; at++) {
    const one = appPasswords[at];
    const stored = one === undefined ? undefined : digestAndSalt(one.storedPassword);
    const compared = stored ?? NONE;
    const digest = digestOf(letters, compared.subarray(DIGEST_OCTETS));
    if (timingSafeEqual(digest, compared.subarray(0, DIGEST_OCTETS))) name ??= one?.name;
  }
  return name;
}

/** The letters that were meant; undefined if they are no app password's. */
function lettersOf(typed: Uint8Array): string | undefined {
  if (typed.length > PASSWORD_OCTETS) return undefined;
  const letters = Buffer.from(typed).toString("utf8").replace(/[\s\p{Pd}]/gu, "").toLowerCase();
  return SHAPE.test(letters) ? letters : undefined;
}

function digestAndSalt(stored: string): Buffer | undefined {
  const octets = Buffer.from(STORED.exec(stored)?.[1] ?? "", "base64");
  return octets.length > DIGEST_OCTETS ? octets : undefined;
}

function digestOf(letters: string, salt: Uint8Array): Buffer {
  return createHash("sha256").update(letters).update(salt).digest();
}
