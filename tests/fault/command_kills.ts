/**
 * A command of popkeep run under strace and killed at one of the system calls that it makes in the mailbox. Of one
 * user, bob, whose Maildir is in `mail/` of a folder of its own.
 *
 * POPKEEP_CRASH=all kills at every call; otherwise it is a few drawn ones, which POPKEEP_SEED repeats.
 *
 * *Knows* strace. *Does not know* what the command does.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { popkeepCommand } from "../support/command_line.ts";
import { randomFrom, shuffled } from "./chance.ts";

/** Whether each kill is tried that there is. */
export const ALL_KILLS = process.env["POPKEEP_CRASH"] === "all";

export const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

export interface Kill {
  readonly call: string;
  /** Which of those that one thread makes, from 1. */
  readonly nth: number;
}

export interface Killed {
  /** Undefined if it was killed. */
  readonly code: number | undefined;
  /** The calls that it made, by strace. */
  readonly trace: string;
}

export interface KilledCommand {
  /** Words behind `popkeep`; the settings file is added. */
  readonly words: readonly string[];
  /** What it reads from standard input; nothing, where it is left out. */
  readonly input?: string;
}

export class CommandKills {
  readonly folder: string;
  readonly #calls: readonly string[];

  /**
   * @param calls Those by which something changes, or is opened; how each runtime makes them differs.
   * @param settings Lines besides those that every test has.
   */
  constructor(name: string, calls: readonly string[], settings = "") {
    this.#calls = calls;
    this.folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-${name}-kill-`));
    writeFileSync(`${this.folder}/users`, "bob:{PLAIN}x\n");
    writeFileSync(
      `${this.folder}/popkeep.toml`,
      `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${this.folder}/mail/{user}"
${settings}`,
    );
  }

  /** Bob's Maildir. */
  get mailbox(): string {
    return `${this.folder}/mail/bob`;
  }

  /** Runs the command, to its end or to the kill. */
  async run({ words, input }: KilledCommand, kill?: Kill): Promise<Killed> {
    const table = `${this.folder}/trace`;
    const injections = kill === undefined
      ? []
      : ["-e", `inject=${kill.call}:signal=KILL:when=${kill.nth}`];
    const calls = this.#calls.map((name) => `?${name}`).join(",");
    const child = spawn("strace", [
      ...["-f", "-y", "-o", table, "-e", `trace=${calls}`],
      ...injections,
      ...popkeepCommand(),
      ...words,
      ...["--config", `${this.folder}/popkeep.toml`],
    ], { stdio: [input === undefined ? "ignore" : "pipe", "ignore", "ignore"] });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    const [code, signal] = await once(child, "exit");
    return { code: signal === null ? code : undefined, trace: readFileSync(table, "utf8") };
  }

  /**
   * The calls that were made in the mailbox, also where they go by way of a file or folder that is held open, each
   * with how often its thread had made the like before.
   */
  killsOf(trace: string): Kill[] {
    const counts = new Map<string, number>();
    const kills = new Map<string, Kill>();
    for (const line of trace.split("\n")) {
      const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
      if (call === undefined) continue;
      const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1;
      counts.set(`${thread} ${call}`, nth);
      if (line.includes(`${this.folder}/mail/`) || line.includes("/proc/self/fd/")) {
        kills.set(`${call} ${nth}`, { call, nth });
      }
    }
    return [...kills.values()];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Kills in the order in which they are tried; some more than `tried`, as not each of them kills. */
export function killsToTry(all: readonly Kill[], tried: number): readonly Kill[] {
  return ALL_KILLS ? all : shuffled(all, randomFrom(SEED)).slice(0, 4 * tried);
}
