/**
 * Whose files and folders are, and who may do what with them: mail is its owner's alone.
 *
 * What root does here, it does to what is held open (held_folder.ts). Both changes are one system call each: a kill
 * between two leaves the one or the other, and the next check finds what is left.
 *
 * *Knows* modes and owners. *Does not know* mail.
 */

import { constants, type Stats } from "node:fs";
import process from "node:process";
import type { CheckedMaildir, Owner } from "./checked_maildir.ts";
import type { Finding, Repair } from "./finding.ts";

const { S_IRUSR, S_IRWXU, S_IRWXO, S_IROTH, S_IWOTH } = constants;

/** Dovecot gives messages that it copies second names, too. */
const SECOND_NAME = "it has a second name somewhere, and may be another's: chown it if it is not";

/** Permission bits, those of set-id and sticky too. */
const ALL_BITS = 0o7777;

/** Where something is: the folder that holds it, in the Maildir, and its name there. */
export interface HeldPlace {
  /** "" for the Maildir itself. */
  readonly inside: string;
  /** Octets; "" for that folder itself. */
  readonly name: string;
}

export interface RightsLook {
  readonly maildir: CheckedMaildir;
  readonly place: HeldPlace;
  readonly found: Stats;
  /** Whose it should be. */
  readonly owner: Owner;
}

/** What is wrong about a folder's or a message's rights. */
export function* rightsFindings(look: RightsLook): Generator<Finding> {
  const { maildir, owner, place: { inside, name }, found } = look;
  const path = maildir.nameOf([inside, name].filter((part) => part !== "").join("/"));
  if (found.uid !== owner.userId) {
    yield {
      severity: "error",
      kind: "wrong-owner",
      path,
      reason: `it belongs to the user ${found.uid}, and the mail to ${owner.userId}`,
      repair: mayBeAnothers(look) ? SECOND_NAME : ownerRepair(look),
    };
  }
  const mode = found.mode & ALL_BITS;
  const right = found.isDirectory() ? rightOfFolder(mode) : (mode | S_IRUSR) & ~S_IWOTH;
  if (right === mode) return;
  const isShut = (right & ~mode) !== 0;
  yield {
    severity: isShut ? "error" : "warning",
    kind: "wrong-mode",
    path,
    reason: `its mode is ${octal(mode)}: ` +
      (isShut
        ? "its owner may not use it"
        : found.isDirectory()
        ? "every user of the machine may look into it"
        : "every user of the machine may change it"),
    repair: mayBeAnothers(look) ? SECOND_NAME : modeRepair(look, right),
  };
}

/** Who can write into a Maildir can give files of others a name in it. */
function mayBeAnothers({ found, owner }: RightsLook): boolean {
  return found.uid !== owner.userId && found.isFile() && found.nlink > 1;
}

/** A folder that others may list or write is closed to them; one that they may only go through stays so. */
function rightOfFolder(mode: number): number {
  const isOpen = (mode & (S_IROTH | S_IWOTH)) !== 0;
  return (mode | S_IRWXU) & (isOpen ? ~S_IRWXO : ALL_BITS);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function ownerRepair({ maildir, owner, place, found }: RightsLook): Repair {
  const { userId, groupId } = owner;
  return {
    what: `give it to the user ${userId} and the group ${groupId}`,
    needsRoot: true,
    run: () =>
      maildir.holding(place.inside, async (folder) => {
        const now = place.name === "" ? await folder.lookAtItself() : await folder.look(place.name);
        if (now.uid === userId) return false;
        await folder.giveTo(place.name, found, userId, groupId);
        return true;
      }),
  };
}

function modeRepair({ maildir, place, found }: RightsLook, mode: number): Repair {
  return {
    what: `make it ${octal(mode)}`,
    run: async () => {
      const { inside, name } = place;
      if (name === "" && process.geteuid?.() !== 0) {
        // Who may not look into it cannot hold it, and who is not root harms nobody by its name.
        await maildir.disk.setMode(maildir.path, mode);
        return true;
      }
      return await maildir.holding(inside, async (folder) => {
        await folder.setMode(name, found, mode);
        return true;
      });
    },
  };
}
