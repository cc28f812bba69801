/**
 * The part of a growing file that was read: how long it is, and whether the file still begins with it.
 *
 * *Knows* octets. *Does not know* what they say.
 */

import { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { DiskFile } from "./disk_file.ts";

/** Read at a time, so that a very long file lets other sessions have their turn. */
export const TURN_OCTETS = 131_072;

/** Octets at the end of the part, compared to see that the file is still the same one. */
const WITNESS_OCTETS = 64;

export class ReadPart {
  #octets = 0;
  /** The last of them. */
  #witness: Uint8Array = new Uint8Array(0);
  /** Of all of them. */
  #checksum = 0;

  /** How many octets were read. */
  get octets(): number {
    return this.#octets;
  }

  copy(): ReadPart {
    const copy = new ReadPart();
    copy.#octets = this.#octets;
    copy.#witness = this.#witness;
    copy.#checksum = this.#checksum;
    return copy;
  }

  /** Takes octets that stand behind it. */
  add(octets: Uint8Array): void {
    this.#octets += octets.length;
    this.#checksum = crc32(octets, this.#checksum);
    this.#witness = octets.length >= WITNESS_OCTETS
      ? octets.slice(-WITNESS_OCTETS)
      : Buffer.concat([this.#witness, octets]).subarray(-WITNESS_OCTETS);
  }

  /**
   * True when it still stands at the beginning of the file. Of a file that has grown only the end of it is
   * compared: popkeep's own writers leave the rest alone. One that changed and has not grown was written by
   * somebody else, and all of it is.
   */
  async isBeginOf(file: DiskFile, fileOctets: number): Promise<boolean> {
    if (fileOctets < this.#octets) return false;
    if (fileOctets === this.#octets) return await this.#checksumOf(file) === this.#checksum;
    const { length } = this.#witness;
    const found = Buffer.alloc(length);
    const octets = await readFully(file, found, this.#octets - length);
    return octets === length && found.equals(this.#witness);
  }

  /** Of as many octets as they stand now. */
  async #checksumOf(file: DiskFile): Promise<number> {
    const chunk = Buffer.allocUnsafe(TURN_OCTETS);
    let checksum = 0;
    for (let at = 0; at < this.#octets; await nextTurn()) {
      const wanted = chunk.subarray(0, Math.min(chunk.length, this.#octets - at));
      const octets = await readFully(file, wanted, at);
      checksum = crc32(wanted.subarray(0, octets), checksum);
      if (octets < wanted.length) break;
      at += octets;
    }
    return checksum;
  }
}

/** Reads until `target` is full or the file ends; returns how many octets there were. */
export async function readFully(
  file: DiskFile,
  target: Uint8Array,
  position: number,
): Promise<number> {
  let at = 0;
  while (at < target.length) {
    const octets = await file.read(target, at, target.length - at, position + at);
    if (octets === 0) break;
    at += octets;
  }
  return at;
}
