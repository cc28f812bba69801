/**
 * Decoys for a directory whose users cannot be listed: chosen as decoys.ts chooses them, among the password
 * fields of the users that were looked up last, at most DECOY_USERS of them.
 *
 * So a name that is not there costs what those that are there cost, once some of them have logged in. Until
 * then it costs what the scheme costs that popkeep recommends. Where all users have hashes of one scheme and
 * cost, which is the rule where one program makes them, that is exact from the first login on; where there
 * are several, a restart may give a name another one of them.
 *
 * *Knows* names and password fields. *Does not know* directories.
 */

import { DECOY_USERS } from "../limits.ts";
import { Decoys } from "./user_file/decoys.ts";
import type { WeakSchemes } from "./password_schemes/scheme.ts";
import { isHashFault, readStoredPassword } from "./stored_password.ts";

interface Seen {
  readonly stored: string;
  readonly costClass: string;
}

export class LearntDecoys {
  readonly #weak: WeakSchemes | undefined;
  /** By user, who was seen last at the end. */
  readonly #seen = new Map<string, Seen>();
  #decoys: Decoys | undefined;

  constructor(weak?: WeakSchemes) {
    this.#weak = weak;
  }

  /** Takes note of a user's password field. */
  learn(user: string, stored: string): void {
    const known = this.#seen.get(user);
    if (known?.stored === stored) {
      this.#seen.delete(user);
      this.#seen.set(user, known);
      return;
    }
    const read = readStoredPassword(stored, this.#weak);
    if (isHashFault(read)) return;
    this.#seen.delete(user);
    this.#seen.set(user, { stored, costClass: read.costClass });
    if (this.#seen.size > DECOY_USERS) this.#seen.delete(this.#seen.keys().next().value!);
    this.#decoys = undefined;
  }

  decoyFor(user: string): string {
    return (this.#decoys ??= this.#choose()).decoyFor(user);
  }

  #choose(): Decoys {
    const checkable = new Map<string, string[]>();
    for (const { stored, costClass } of this.#seen.values()) {
      const alike = checkable.get(costClass);
      if (alike === undefined) checkable.set(costClass, [stored]);
      else alike.push(stored);
    }
    return new Decoys({ checkable });
  }
}
