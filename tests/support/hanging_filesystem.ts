/**
 * A filesystem that hangs when it is told to: bindfs serves a folder through FUSE, and a FUSE server that is
 * stopped (SIGSTOP) answers no call, as a network filesystem does whose server is gone. Needs root and
 * Debian's bindfs.
 *
 * While it hangs, nobody may touch it who has no time to lose; what is on it is seen in `behind`.
 *
 * *Knows* mounts and processes. *Does not know* what is on it.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { type Daemon, startDaemon } from "./daemon.ts";

/** Why there can be none here; false where there can. CI has to have it. */
export const noHangingFilesystem: string | false =
  process.env["CI"] || process.getuid?.() === 0 && hasBindfs() ? false : "needs root and bindfs";

function hasBindfs(): boolean {
  return spawnSync("bindfs", ["--version"]).status === 0;
}

export class HangingFilesystem {
  readonly #folder: string;
  readonly #daemon: Daemon;

  private constructor(folder: string, daemon: Daemon) {
    this.#folder = folder;
    this.#daemon = daemon;
  }

  static async mount(): Promise<HangingFilesystem> {
    const folder = mkdtempSync(`${tmpdir()}/popkeep-hanging-`);
    for (const name of ["behind", "mount"]) mkdirSync(`${folder}/${name}`);
    const daemon = await startDaemon(["bindfs", "-f", `${folder}/behind`, `${folder}/mount`], {
      answers: () => {
        const isMounted = readFileSync("/proc/self/mounts", "utf8").includes(
          ` ${folder}/mount fuse`,
        );
        return isMounted ? Promise.resolve() : Promise.reject(new Error("not mounted yet"));
      },
    });
    return new HangingFilesystem(folder, daemon);
  }

  get path(): string {
    return `${this.#folder}/mount`;
  }

  /** The folder that it shows, on a filesystem that answers. */
  get behind(): string {
    return `${this.#folder}/behind`;
  }

  hang(): void {
    this.#daemon.freeze();
  }

  answer(): void {
    this.#daemon.thaw();
  }

  /** Lets it answer after a time, also where whoever asks is kept waiting by it; returns what calls that off. */
  answerLater(seconds: number): () => void {
    return this.#daemon.thawLater(seconds);
  }

  /** To be called when nobody has anything open on it any more. */
  async remove(): Promise<void> {
    this.answer();
    const ended = spawnSync("umount", ["--lazy", this.path], { encoding: "utf8" });
    await this.#daemon.stop();
    if (ended.status !== 0) throw new Error(ended.stderr);
    rmSync(this.#folder, { recursive: true });
  }
}
