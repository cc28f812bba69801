/**
 * When each app password was last used, and from where: `app_passwords_used.json` in the state folder.
 *
 *     {"version": 1, "uses": [["alice", "phone", "192.0.2.7", 1714731300000], ...]}
 *
 * User, name, address ("" if not known) and ms since 1970, the one that was used longest ago first. It is
 * written as a whole beside itself and renamed, some seconds after a use and when the server stops. What
 * goes wrong with it is told once in the log and never stops a login: the last uses are a help, no proof.
 *
 * *Knows* the file. *Does not know* which app passwords there are.
 */

import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { APP_PASSWORD_USES, APP_PASSWORD_USES_WRITE_MS } from "../limits.ts";

const logger = getLogger(["popkeep", "auth"]);

const FILE = "app_passwords_used.json";

const VERSION = 1;

/** No file of ours is as large: longest names, longest addresses, escapes. */
const MOST_OCTETS = APP_PASSWORD_USES * 2_500;

export interface AppPasswordUse {
  readonly user: string;
  /** The app password's name. */
  readonly name: string;
  /** The client's; "" if it was not known. */
  readonly address: string;
  /** Ms since 1970. */
  readonly usedMs: number;
}

export interface AppPasswordUsesOptions {
  /** Milliseconds between a use and the writing. */
  readonly writeMs?: number;
  readonly maxUses?: number;
}

/**
 * Reads what the server wrote last, in its order; nothing if it wrote nothing yet.
 *
 * @throws {Error} What `node:fs` says if the file is there and cannot be read, or that it is damaged.
 */
export async function readAppPasswordUses(folder: string): Promise<readonly AppPasswordUse[]> {
  const path = join(folder, FILE);
  try {
    if ((await stat(path)).size > MOST_OCTETS) throw new Error(`"${path}" is damaged.`);
    const uses = parseUses(await readFile(path, "utf8"));
    if (uses === undefined) throw new Error(`"${path}" is damaged.`);
    return uses;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Opens the record of a server. Nothing is held open; `flush` it when the server stops. */
export async function openAppPasswordUses(
  folder: string,
  options: AppPasswordUsesOptions = {},
): Promise<AppPasswordUses> {
  let uses: readonly AppPasswordUse[] = [];
  try {
    uses = await readAppPasswordUses(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn("the last uses of app passwords cannot be read", { folder, reason });
  }
  return new AppPasswordUses(folder, uses, options);
}

export class AppPasswordUses {
  readonly #folder: string;
  readonly #writeMs: number;
  readonly #maxUses: number;
  /** By user and name; the one that was used longest ago first. */
  readonly #uses = new Map<string, AppPasswordUse>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unwritten = false;
  #writing: Promise<void> = Promise.resolve();
  #complained = false;

  /** Use `openAppPasswordUses`. */
  constructor(folder: string, uses: readonly AppPasswordUse[], options: AppPasswordUsesOptions) {
    this.#folder = folder;
    this.#writeMs = options.writeMs ?? APP_PASSWORD_USES_WRITE_MS;
    this.#maxUses = options.maxUses ?? APP_PASSWORD_USES;
    for (const use of uses) this.#keep(use);
  }

  /** Remembers a use; costs nothing now. */
  note(user: string, name: string, address: string | undefined, nowMs: number): void {
    this.#keep({ user, name, address: address ?? "", usedMs: nowMs });
    this.#unwritten = true;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.flush(), this.#writeMs);
    this.#timer.unref();
  }

  /** All that are remembered, the one that was used longest ago first. */
  read(): readonly AppPasswordUse[] {
    return [...this.#uses.values()];
  }

  /** Writes down what is not written yet. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  #keep(use: AppPasswordUse): void {
    const key = JSON.stringify([use.user, use.name]);
    this.#uses.delete(key);
    this.#uses.set(key, use);
    for (const oldest of this.#uses.keys()) {
      if (this.#uses.size <= this.#maxUses) break;
      this.#uses.delete(oldest);
    }
  }

  async #write(): Promise<void> {
    if (!this.#unwritten) return;
    this.#unwritten = false;
    try {
      await replace(this.#folder, encodeUses(this.#uses.values()));
      this.#complained = false;
    } catch (error) {
      // The next use tries again.
      if (this.#complained) return;
      this.#complained = true;
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn("the last uses of app passwords cannot be written down", {
        folder: this.#folder,
        reason,
      });
    }
  }
}

async function replace(folder: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text).finally(() => file.close());
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

function encodeUses(uses: Iterable<AppPasswordUse>): string {
  const rows = Array.from(
    uses,
    ({ user, name, address, usedMs }) => JSON.stringify([user, name, address, usedMs]),
  );
  return `{"version": ${VERSION}, "uses": [\n${rows.join(",\n")}\n]}\n`;
}

/** Undefined if the text is not of the form, wholly. */
function parseUses(text: string): AppPasswordUse[] | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { version, uses } = (read ?? {}) as { version?: unknown; uses?: unknown };
  if (version !== VERSION || !Array.isArray(uses)) return undefined;
  const rows = uses.map(parseUse);
  return rows.every((row) => row !== undefined) ? rows : undefined;
}

function parseUse(row: unknown): AppPasswordUse | undefined {
  if (!Array.isArray(row) || row.length !== 4) return undefined;
  const [user, name, address, usedMs] = row;
  if (![user, name, address].every((text) => typeof text === "string")) return undefined;
  return Number.isSafeInteger(usedMs) && usedMs >= 0 ? { user, name, address, usedMs } : undefined;
}
