/**
 * Adds, changes, removes and lists the users of a user file. A user is named in any letter case.
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
import { APP_PASSWORDS_PER_USER } from "../../limits.ts";
import type { SecretKind, UserSecrets } from "../login.ts";
import { parsePasswdContent, type PasswdFault } from "./passwd_content.ts";
import {
  appPasswordField,
  encodeAppPassword,
  encodeSecrets,
  type KeptAppPassword,
  NT_HASH_FIELD,
  OWN_FIELD,
  readOwnFields,
  SCRAM_FIELD,
  secretsInPassword,
} from "./passwd_secrets.ts";
import type { WeakSchemes } from "../password_schemes/scheme.ts";
import { schemeOf } from "../stored_password.ts";
import { extrasOfLine, isLineOf, octets, withExtras, withPassword } from "./user_file_line.ts";
import { lockUserFile } from "./user_file_lock.ts";
import { faultOfUserName } from "../user_name.ts";

/** An edit that cannot be done; the message is for the person who asked for it. */
export class UserFileError extends Error {
  override readonly name = "UserFileError";
  /** `exists`: what is to be made is there already. `missing`: what is to be changed is not. */
  readonly kind: "unfit" | "exists" | "missing";

  constructor(message: string, kind: UserFileError["kind"] = "unfit") {
    super(message);
    this.kind = kind;
  }
}

export interface NewUser {
  readonly user: string;
  /** What `hashPassword` returns. */
  readonly storedPassword: string;
  /** Made of the same password. */
  readonly secrets?: UserSecrets;
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
    if (lines.some((line) => isLineOf(line, added.user))) {
      throw new UserFileError(`There is a user "${added.user}" already.`, "exists");
    }
    const end = lines[0]?.endsWith("\r\n") ? "\r\n" : "\n";
    const last = lines.at(-1);
    const ended = last === undefined || last.endsWith("\n")
      ? lines
      : [...lines.slice(0, -1), last + end];
    const line = octets(`${added.user}:${added.storedPassword}::::${home}::`) + end;
    return [...ended, withExtras(line, encodeSecrets(added.secrets ?? {}))];
  });
}

/**
 * Replaces a user's password field, and every secret that was made of the old password, by those that are
 * given or by none: whatever is left of the old password would go on working. It does so in every entry
 * of that user, since which one counts may change later.
 *
 * @throws {UserFileError} If there is no such user.
 */
export async function setPassword(
  path: string,
  user: string,
  stored: string,
  secrets: UserSecrets = {},
): Promise<void> {
  checkField(stored);
  await editLinesOf(
    path,
    user,
    (lines) => lines.map((line) => withExtras(withPassword(line, stored), encodeSecrets(secrets))),
  );
}

/**
 * The secrets of a user that are made of the password, in any entry and also in a locked one: those that
 * a new password has to be made into as well.
 *
 * @throws {UserFileError} If there is no such user.
 */
export async function secretKindsOf(path: string, user: string): Promise<ReadonlySet<SecretKind>> {
  const lines = await linesOfUser(path, user);
  const kinds = new Set<SecretKind>();
  for (const line of lines) {
    const { ntHash, scramSha256 } = secretsInPassword(/^[^:]*:([^:\r\n]*)/.exec(line)?.[1] ?? "");
    const has = (field: string) => extrasOfLine(line).some((one) => one.startsWith(`${field}=`));
    if (ntHash !== undefined || has(NT_HASH_FIELD)) kinds.add("ntHash");
    if (scramSha256 !== undefined || has(SCRAM_FIELD)) kinds.add("scramSha256");
  }
  return kinds;
}

/**
 * The app passwords of a user, also of a locked one, for whom they do not count now.
 *
 * @throws {UserFileError} If there is no such user.
 */
export async function appPasswordsOf(
  path: string,
  user: string,
): Promise<readonly KeptAppPassword[]> {
  const [line = ""] = await linesOfUser(path, user);
  const fields = extrasOfLine(line).filter((field) => field.startsWith(OWN_FIELD)).map((field) => {
    const [key = "", value = ""] = field.split(/=(.*)/s);
    return [key, value] as const;
  });
  return readOwnFields(new Map(fields), "").appPasswords ?? [];
}

/**
 * Adds an app password to every entry of a user.
 *
 * @throws {UserFileError} If there is no such user, the name is taken, or there are too many already.
 */
export async function addAppPassword(
  path: string,
  user: string,
  { name, storedPassword, madeMs }: Required<KeptAppPassword>,
): Promise<void> {
  checkField(storedPassword);
  const field = appPasswordField(name);
  await editLinesOf(path, user, (lines) =>
    lines.map((line) => {
      const extras = extrasOfLine(line);
      if (extras.some((one) => one.startsWith(`${field}=`))) {
        throw new UserFileError(
          `There is an app password "${name}" of "${user}" already.`,
          "exists",
        );
      }
      const others = extras.filter((one) => one.startsWith(appPasswordField("")));
      if (others.length >= APP_PASSWORDS_PER_USER) {
        throw new UserFileError(`A user has at most ${APP_PASSWORDS_PER_USER} app passwords.`);
      }
      return withExtras(line, { [field]: encodeAppPassword(storedPassword, madeMs) });
    }));
}

/**
 * Removes an app password from every entry of a user.
 *
 * @throws {UserFileError} If there is no such user, or no such app password.
 */
export async function removeAppPassword(path: string, user: string, name: string): Promise<void> {
  const field = appPasswordField(name);
  await editLinesOf(path, user, (lines) => {
    const left = lines.map((line) => withExtras(line, { [field]: undefined }));
    if (left.every((line, at) => line === lines[at])) {
      throw new UserFileError(`There is no app password "${name}" of "${user}".`, "missing");
    }
    return left;
  });
}

/**
 * Removes every entry of a user: with the first gone the next would count.
 *
 * @throws {UserFileError} If there is no such user.
 */
export async function removeUser(path: string, user: string): Promise<void> {
  await edit(path, { mayMake: false }, (lines) => {
    const left = lines.filter((line) => !isLineOf(line, user));
    if (left.length === lines.length) throw unknownUser(user);
    return left;
  });
}

/**
 * The users in the order of the file, and what is wrong with it.
 *
 * @param weak The weak password schemes that are honoured; none unless given.
 * @throws {Error} What `node:fs` says if the file cannot be read.
 */
export async function listUsers(
  path: string,
  weak?: WeakSchemes,
): Promise<{ users: readonly ListedUser[]; faults: readonly PasswdFault[] }> {
  const { entries, faults } = parsePasswdContent(await readFile(path), weak);
  const users = Array.from(entries.values(), (entry) => {
    const { user, home, disabled, storedPassword } = entry;
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
    const text = change(linesOf(before?.text ?? "")).join("");
    await replace(target, text, before);
  } finally {
    await lock.release();
  }
}

/** The lines of one user, of which there is at least one. */
async function linesOfUser(path: string, user: string): Promise<readonly string[]> {
  const lines = linesOf(await readFile(path, "latin1")).filter((line) => isLineOf(line, user));
  if (lines.length === 0) throw unknownUser(user);
  return lines;
}

/** Changes the lines of one user, of which there is at least one, and no other. */
async function editLinesOf(path: string, user: string, change: Edit): Promise<void> {
  await edit(path, { mayMake: false }, (lines) => {
    const isTheirs = (line: string) => isLineOf(line, user);
    const changed = [...change(lines.filter(isTheirs))];
    if (changed.length === 0) throw unknownUser(user);
    return lines.map((line) => isTheirs(line) ? changed.shift() as string : line);
  });
}

/** One character an octet, each with its line end. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
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

function unknownUser(user: string): UserFileError {
  return new UserFileError(`There is no user "${user}".`, "missing");
}

/** Guards the file against a field that would break its line; a `hashPassword` result never does. */
function checkField(stored: string): void {
  if (/[:\p{Cc}]/u.test(stored)) {
    throw new UserFileError('A password field cannot have ":" or control characters in it.');
  }
}
