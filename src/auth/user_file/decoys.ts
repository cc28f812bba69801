/**
 * Which stored password is checked for a name that has none, so that the time of a refusal tells nobody
 * who exists:
 * - A name costs the same in every spelling, whether it is there or not.
 * - Names that are not there cost what those that are there cost, in the same proportions, down to the
 *   one user whose hash is like nobody else's.
 * - What a name costs does not change at a restart, and when users come, go or change their passwords,
 *   of the names that are not there about as large a part changes as of those that are.
 * - Who does not have the file cannot foresee it.
 *
 * Hence weighted rendezvous hashing: a name goes to the stored password with the highest score, which is
 * a digest of both, and as likely for a class of costs as it has users. The stored passwords are the
 * secret in it: a key of our own would have to be kept somewhere, or be another at each start. So that a
 * name costs few digests in a file of any size, each class sends only those of its passwords whose own
 * digests are the lowest, a sample which one password more or less hardly changes.
 *
 * *Knows* names and password fields. *Does not know* files, or how a password is checked.
 */

import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { PasswdContent } from "./passwd_content.ts";
import { rendezvousScore } from "../rendezvous.ts";
import { decoyPassword } from "../stored_password.ts";
import { foldedName } from "../user_name.ts";

/** Password fields that stand for all of one class of costs. */
const SAMPLE_LENGTH = 32;

/** Where there is no user who can log in. One for all, so that it is the same after a reload. */
const DEFAULT_DECOY = decoyPassword();

interface Candidate {
  readonly stored: string;
  readonly key: Buffer;
  /** Users of its class for each candidate of its class. */
  readonly weight: number;
}

export class Decoys {
  readonly #candidates: readonly Candidate[];

  constructor({ checkable }: Pick<PasswdContent, "checkable">) {
    this.#candidates = [...checkable.values()].flatMap(sampleOf);
  }

  /** The password field for a name under which no user, or none with a password, was found. */
  decoyFor(user: string): string {
    const octets = Buffer.from(foldedName(user), "utf8");
    let decoy = DEFAULT_DECOY;
    let highest = -Infinity;
    for (const { stored, key, weight } of this.#candidates) {
      const score = rendezvousScore(digestOf(Buffer.concat([key, octets])), weight);
      if (score <= highest) continue;
      highest = score;
      decoy = stored;
    }
    return decoy;
  }
}

function sampleOf(classFields: readonly string[]): Candidate[] {
  const sample = [...new Set(classFields)]
    .map((stored) => ({ stored, key: digestOf(Buffer.from(stored, "utf8")) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .slice(0, SAMPLE_LENGTH);
  return sample.map((one) => ({ ...one, weight: classFields.length / sample.length }));
}

function digestOf(octets: Buffer): Buffer {
  return hash("sha256", octets, "buffer");
}
