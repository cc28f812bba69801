/**
 * How long mail stays, as CAPA says it, for the users that there are now: those who are in memory are counted
 * anew when their directory has read them anew, others from their first login.
 *
 * *Knows* directories. *Does not know* where ages come from (delivery/expiry.ts).
 */

import type { AccountDirectory } from "../auth/directory.ts";
import { Expiry } from "../delivery/expiry.ts";
import type { Account } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";

export class ExpiryOfUsers {
  readonly #settings: Settings;
  readonly #directories: readonly AccountDirectory[];
  #expiry: Expiry;
  /** Of the directories, as `#expiry` has counted them. */
  #editions: readonly unknown[];

  constructor(settings: Settings, directories: readonly AccountDirectory[]) {
    this.#settings = settings;
    this.#directories = directories;
    this.#editions = this.#editionsNow();
    this.#expiry = this.#counted();
  }

  /** As `Expiry.announced`. */
  announced(account: Account | undefined): string {
    const editions = this.#editionsNow();
    if (editions.some((edition, at) => edition !== this.#editions[at])) {
      this.#editions = editions;
      this.#expiry = this.#counted();
    }
    return this.#expiry.announced(account);
  }

  #editionsNow(): readonly unknown[] {
    return this.#directories.map(({ edition }) => edition);
  }

  #counted(): Expiry {
    const opensFolders = this.#settings.folderSeparator !== "";
    const expiry = new Expiry(this.#settings, { opensFolders });
    for (const directory of this.#directories) {
      for (const account of directory.accounts?.() ?? []) expiry.note(account);
    }
    return expiry;
  }
}
