/**
 * A folder of PAM services for one test file, and users whom only a file of passwords knows, so that
 * nothing has to be written to /etc. Needs Debian's libpam-pwdfile.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

/** Made by `openssl passwd -6 -salt popkeeptest right`. */
export const RIGHT_HASH =
  "$6$popkeeptest$6kpbEd.Gm9tZoPqwrDBK1OXTUGIz.B/NjEX9IkJdrNRb7.5DcpiYLMPq44toCNYkbKdVxKntc2yCXOLvNewo2.";

export class PamServices {
  readonly folder = mkdtempSync(`${tmpdir()}/popkeep-pam-`);
  #made = 0;

  /** A service of these lines; gives its name. */
  add(...lines: readonly string[]): string {
    const name = `service-${this.#made++}`;
    writeFileSync(`${this.folder}/${name}`, `${lines.join("\n")}\n`);
    return name;
  }

  /** The path of a file of passwords in which each user's is "right". */
  passwords(...users: readonly string[]): string {
    const path = `${this.folder}/passwords-${this.#made++}`;
    writeFileSync(path, users.map((user) => `${user}:${RIGHT_HASH}\n`).join(""));
    return path;
  }

  /** The path of a shell script. */
  script(lines: string): string {
    const path = `${this.folder}/script-${this.#made++}`;
    writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
