/**
 * The shapes of SCRAM keys in a directory whose users cannot be listed: those of the users with keys that
 * were looked up last, at most DECOY_USERS of them.
 *
 * Where one program makes all keys, that is exact from the first look-up of somebody who has them. Where
 * there are several shapes, a restart may give a name that is not there another one of them.
 *
 * *Knows* names and keys. *Does not know* directories.
 */

import { DECOY_USERS } from "../limits.ts";
import type { ScramKeys } from "./login.ts";
import { ScramShapes, type ScramShapeUse } from "./scram/shapes.ts";

export class LearntScramShapes {
  /** By user, who was seen last at the end. */
  readonly #seen = new Map<string, ScramKeys>();
  #mostUsed: readonly ScramShapeUse[] | undefined;

  /** Takes note of a user's keys, or that there are none. */
  learn(user: string, keys: ScramKeys | undefined): void {
    this.#seen.delete(user);
    if (keys !== undefined) this.#seen.set(user, keys);
    if (this.#seen.size > DECOY_USERS) this.#seen.delete(this.#seen.keys().next().value!);
    this.#mostUsed = undefined;
  }

  mostUsed(): readonly ScramShapeUse[] {
    return this.#mostUsed ??= this.#count();
  }

  #count(): readonly ScramShapeUse[] {
    const shapes = new ScramShapes();
    for (const keys of this.#seen.values()) shapes.add(keys);
    return shapes.mostUsed();
  }
}
