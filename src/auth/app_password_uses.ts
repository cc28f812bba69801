/**
 * When each app password was last used, and from where: `app_passwords_used.json` in the state folder.
 *
 *     {"version": 1, "uses": [["alice", "phone", "192.0.2.7", 1714731300000], ...]}
 *
 * User, name, address ("" if not known) and ms since 1970, the one that was used longest ago first. It is
 * written some seconds after a use and when the server stops. What goes wrong with it is told in the log
 * and never stops a login: the last uses are a help, no proof.
 *
 * *Knows* what the file says. *Does not know* which app passwords there are.
 */

import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { APP_PASSWORD_USES } from "../limits.ts";
import { readStateFile, StateFile } from "./state_file.ts";

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
  const text = await readStateFile(path, MOST_OCTETS);
  const uses = text === undefined ? [] : parseUses(text);
  if (uses === undefined) throw new Error(`"${path}" is damaged.`);
  return uses;
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
    logger.warn("the last uses of app passwords cannot be read", {
      file: join(folder, FILE),
      error: error instanceof Error ? error.message : String(error),
    });
  }
  return new AppPasswordUses(folder, uses, options);
}

export class AppPasswordUses {
  readonly #maxUses: number;
  /** By user and name; the one that was used longest ago first. */
  readonly #uses = new Map<string, AppPasswordUse>();
  readonly #file: StateFile;

  /** Use `openAppPasswordUses`. */
  constructor(folder: string, uses: readonly AppPasswordUse[], options: AppPasswordUsesOptions) {
    const { maxUses = APP_PASSWORD_USES, ...times } = options;
    this.#maxUses = maxUses;
    for (const use of uses) this.#keep(use);
    const content = () => encodeUses(this.#uses.values());
    this.#file = new StateFile(join(folder, FILE), { content, ...times });
  }

  /** Remembers a use; costs nothing now. */
  note(user: string, name: string, address: string | undefined, nowMs: number): void {
    this.#keep({ user, name, address: address ?? "", usedMs: nowMs });
    this.#file.changed();
  }

  /** All that are remembered, the one that was used longest ago first. */
  read(): readonly AppPasswordUse[] {
    return [...this.#uses.values()];
  }

  /** Writes down what is not written yet. Never rejects. */
  flush(): Promise<void> {
    return this.#file.flush();
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
