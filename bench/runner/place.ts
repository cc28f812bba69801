/**
 * Where things are: the scratch folder and what setup.sh made in it, the scripts, the executable.
 *
 * Layout of the scratch folder: bin/ programs, deb/ packages, mail/ what was generated and is only read,
 * work/ copies that servers work on, run/ configurations and logs.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** A set of generated Maildirs. mixed is ordinary with large as one further user, b50. */
export type Mail = "ordinary" | "large" | "hinted" | "million" | "mixed";

export const USERS_OF: Readonly<Record<Mail, number>> = {
  ordinary: 50,
  large: 1,
  hinted: 1,
  million: 1,
  mixed: 51,
};

/** The number of the user of mixed whose mailbox is the large one. */
export const LARGE_USER = 50;

export class Place {
  readonly scratch: string;
  readonly executable: string;
  readonly bench = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

  constructor(scratch: string, executable: string) {
    this.scratch = scratch;
    this.executable = executable;
  }

  program(name: string): string {
    return `${this.scratch}/bin/${name}`;
  }

  script(name: string): string {
    return `${this.bench}/peers/${name}.sh`;
  }

  /** What the generator says of a set that it made. */
  manifest(mail: Mail): { readonly messages: number; readonly octets_crlf: number } {
    return JSON.parse(readFileSync(`${this.scratch}/mail/${mail}/manifest.json`, "utf8"));
  }

  /**
   * A copy for one server, so that none sees another's index files: hard links, or files of its own where
   * messages will be removed (`removes`), so that unlink has something to free. With `times` the set is
   * there as often, for users with numbers from 0, from USERS_OF, from twice that on, and so forth. All
   * octets are read once: every server begins with the files in the page cache.
   */
  copyOf(mail: Mail, name: string, { removes = false, times = 1 } = {}): string {
    const copy = `${this.scratch}/work/${name}`;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(dirname(copy), { recursive: true });
    const flags = removes ? "-a" : "-al";
    const from = (set: string) => `${this.scratch}/mail/${set}`;
    execFileSync("cp", [flags, from(mail === "mixed" ? "ordinary" : mail), copy]);
    if (mail === "mixed") {
      execFileSync("cp", [flags, `${from("large")}/b0`, `${copy}/b${LARGE_USER}`]);
    }
    for (let user = USERS_OF[mail]; user < USERS_OF[mail] * times; user++) {
      const same = `${from(mail)}/b${user % USERS_OF[mail]}`;
      execFileSync("cp", [flags, same, `${copy}/b${user}`]);
    }
    readAll(copy);
    return copy;
  }

  removeCopies(): void {
    rmSync(`${this.scratch}/work`, { recursive: true, force: true });
  }
}

/** Reads all messages below the folder by cat, and says how many seconds that took. */
export function readAll(folder: string): number {
  const started = performance.now();
  execFileSync("sh", [
    "-c",
    'find "$1" -type f -path "*/Maildir/*" -print0 | xargs -0 cat > /dev/null',
    "sh",
    folder,
  ]);
  return (performance.now() - started) / 1000;
}
