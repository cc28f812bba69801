/**
 * Adds, changes, removes and lists the users of a user file.
 *
 * The file is replaced as a whole: a new one is written beside it, synced and renamed over it, so that a
 * reader sees the old or the new one and a crash leaves one of them. All other lines, comments and line
 * ends stay octet by octet, whatever their encoding. Mode and owner stay as well; where they cannot be
 * kept the edit fails, since the server might no longer be able to read the file.
 *
 * *Knows* the file's lines. *Does not know* how passwords are hashed: it is given finished fields.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { open, readFile, realpath, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { parsePasswdContent, type PasswdFault } from "./passwd_content.ts";
import { schemeOf } from "./stored_password.ts";
import { lockUserFile } from "./user_file_lock.ts";
import { faultOfUserName } from "./user_name.ts";

/** An edit that cannot be done; the message is for the person who asked for it. */
export class UserFileError extends Error {
  override readonly name = "UserFileError";
}

export interface NewUser {
  readonly user: string;
  /** What `hashPassword` returns. */
  readonly storedPassword: string;
  /** Absolute. */
  readonly home?: string;
}

export interface ListedUser {
  readonly user: string;
  readonly home?: string;
  readonly disabled: boolean;
  /** Name of the password scheme; undefined when it is none of ours, or no password is set. */
  readonly scheme?: string;
}

/**
 * Adds a user; makes the file, mode 0600, if it is not there.
 *
 * @throws {UserFileError} If the name cannot be a user's or is there already.
 */
export async function addUser(path: string, added: NewUser): Promise<void> {
  const fault = faultOfUserName(added.user);
  if (fault !== undefined) throw new UserFileError(`A user name ${fault}.`);
  const { home = "" } = added;
  if (home !== "" && !/^\/[^:\p{Cc}]*$/u.test(home)) {
    throw new UserFileError(`A home is an absolute path without ":". Found: "${home}".`);
  }
  checkField(added.storedPassword);
  await edit(path, { mayMake: true }, (lines) => {
    if (lines.some((line) => userOf(line) === octets(added.user))) {
      throw new UserFileError(`There is a user "${added.user}" already.`);
    }
    const end = lines[0]?.endsWith("\r\n") ? "\r\n" : "\n";
    const last = lines.at(-1);
    const ended = last === undefined || last.endsWith("\n")
      ? lines
      : [...lines.slice(0, -1), last + end];
    return [...ended, octets(`${added.user}:${added.storedPassword}::::${home}::`) + end];
  });
}

/**
 * Replaces a user's password field, in every entry of that user: which one counts may change later.
 *
 * @throws {UserFileError} If there is no such user.
 */
export async function setPassword(path: string, user: string, stored: string): Promise<void> {
  checkField(stored);
  await edit(path, { mayMake: false }, (lines) => {
    if (!lines.some((line) => userOf(line) === octets(user))) throw unknownUser(user);
    return lines.map((line) => userOf(line) === octets(user) ? withPassword(line, stored) : line);
  });
}

/**
 * Removes every entry of a user: with the first gone the next would count.
 *
 * @throws {UserFileError} If there is no such user.
 */
export async function removeUser(path: string, user: string): Promise<void> {
  await edit(path, { mayMake: false }, (lines) => {
    const left = lines.filter((line) => userOf(line) !== octets(user));
    if (left.length === lines.length) throw unknownUser(user);
    return left;
  });
}

/**
 * The users in the order of the file, and what is wrong with it.
 *
 * @throws {Error} What `node:fs` says if the file cannot be read.
 */
export async function listUsers(
  path: string,
): Promise<{ users: readonly ListedUser[]; faults: readonly PasswdFault[] }> {
  const { entries, faults } = parsePasswdContent(await readFile(path));
  const users = Array.from(entries.values(), ({ user, home, disabled, storedPassword }) => {
    const scheme = storedPassword === "" ? undefined : schemeOf(storedPassword);
    return {
      user,
      disabled,
      ...(home === undefined ? {} : { home }),
      ...(scheme === undefined ? {} : { scheme }),
    };
  });
  return { users, faults };
}

/** What some editors write at the beginning of a UTF-8 file, one character an octet. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/** Lines hold one character an octet and their line ends. */
type Edit = (lines: readonly string[]) => readonly string[];

async function edit(path: string, options: { mayMake: boolean }, change: Edit): Promise<void> {
  // The file that a symbolic link leads to is replaced, not the link.
  const target = await realpath(path).catch(() => path);
  const lock = await lockUserFile(`${target}.lock`);
  try {
    const before = await read(target);
    if (before === undefined && !options.mayMake) {
      throw new UserFileError(`There is no user file "${path}".`);
    }
    const lines = before?.text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const text = change(lines).join("");
    await replace(target, text, before);
  } finally {
    await lock.release();
  }
}

interface Found {
  readonly text: string;
  readonly stamp: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Undefined if there is no file. */
async function read(path: string): Promise<Found | undefined> {
  try {
    const { mode, uid, gid } = await stat(path);
    const stamp = await stampOf(path) ?? "";
    return { text: await readFile(path, "latin1"), stamp, mode: mode & 0o7777, uid, gid };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function replace(path: string, text: string, before: Found | undefined): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    try {
      await file.writeFile(Buffer.from(text, "latin1"));
      if (before !== undefined) {
        const made = await file.stat();
        if (made.uid !== before.uid || made.gid !== before.gid) {
          await file.chown(before.uid, before.gid);
        }
        await file.chmod(before.mode);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (await stampOf(path) !== before?.stamp) {
      throw new UserFileError(`"${path}" was changed by somebody else meanwhile. Try again.`);
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the rename last. Not every folder can be synced; then nothing more can be done. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** Changes when the file does; undefined if there is none. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** The user of a line, one character an octet; undefined for comments and lines without one. */
function userOf(line: string): string | undefined {
  const text = line.startsWith(BYTE_ORDER_MARK) ? line.slice(BYTE_ORDER_MARK.length) : line;
  return text.startsWith("#") ? undefined : /^[^:\r\n]+/.exec(text)?.[0];
}

function withPassword(line: string, stored: string): string {
  const [, name = "", rest = ""] = /^([^:\r\n]*)(?::[^:\r\n]*)?(.*)$/s.exec(line) ?? [];
  return `${name}:${octets(stored)}${rest}`;
}

/** Text as lines hold it: one character for each octet of its UTF-8. */
function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function unknownUser(user: string): UserFileError {
  return new UserFileError(`There is no user "${user}".`);
}

/** Guards the file against a field that would break its line; a `hashPassword` result never does. */
function checkField(stored: string): void {
  if (/[:\p{Cc}]/u.test(stored)) {
    throw new UserFileError('A password field cannot have ":" or control characters in it.');
  }
}
