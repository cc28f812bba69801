/**
 * What SCRAM keys look like from outside: iterations and length of the salt, which are sent to everybody who
 * says a name. Keys that are made up for somebody who has none look like those that users have, in the same
 * proportions; else keys that were made elsewhere would tell that their user exists.
 *
 * *Knows* shapes and how many users have them. *Does not know* who has which.
 */

import { SCRAM_SHAPES } from "../../limits.ts";
import type { ScramKeys, ScramShape } from "../login.ts";
import { rendezvousScore } from "../rendezvous.ts";

export interface ScramShapeUse extends ScramShape {
  readonly users: number;
}

/** Counts the users of each shape. */
export class ScramShapes {
  readonly #uses = new Map<string, ScramShapeUse>();

  add({ iterations, salt }: ScramKeys): void {
    this.addUse({ iterations, saltOctets: salt.length, users: 1 });
  }

  addUse({ iterations, saltOctets, users }: ScramShapeUse): void {
    const text = textOf({ iterations, saltOctets });
    const before = this.#uses.get(text)?.users ?? 0;
    this.#uses.set(text, { iterations, saltOctets, users: before + users });
  }

  /** At most SCRAM_SHAPES, whatever the order they were added in. */
  mostUsed(): readonly ScramShapeUse[] {
    return [...this.#uses.values()]
      .sort((a, b) =>
        b.users - a.users || a.iterations - b.iterations || a.saltOctets - b.saltOctets
      )
      .slice(0, SCRAM_SHAPES);
  }
}

/**
 * Chooses a shape, each as often as it has users; undefined if there are none.
 *
 * @param draw Gives 6 octets or more for a text that names a shape: always the same for the same name of a
 *   user, and such that nobody can foresee them.
 */
export function chooseShape(
  uses: readonly ScramShapeUse[],
  draw: (text: string) => Uint8Array,
): ScramShape | undefined {
  const shapes = new ScramShapes();
  for (const use of uses) shapes.addUse(use);
  let chosen: ScramShape | undefined;
  let highest = -Infinity;
  for (const { iterations, saltOctets, users } of shapes.mostUsed()) {
    const score = rendezvousScore(draw(textOf({ iterations, saltOctets })), users);
    if (score <= highest) continue;
    highest = score;
    chosen = { iterations, saltOctets };
  }
  return chosen;
}

function textOf({ iterations, saltOctets }: ScramShape): string {
  return `${iterations} ${saltOctets}`;
}
