/**
 * PLAIN, CLEARTEXT and CLEAR: the password itself stands in the file. For tests, demonstrations and
 * mechanisms that cannot do with less.
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { costClass, type MakeableScheme } from "./scheme.ts";

export const plaintext: MakeableScheme = {
  names: ["PLAIN", "CLEARTEXT", "CLEAR"],
  encoding: "text",

  read(stored) {
    if (stored.length === 0) return { kind: "locked", reason: "no password is set" };
    // Digests have one length, so that comparing them tells nothing about the password's.
    const digest = (octets: Uint8Array) => createHash("sha256").update(octets).digest();
    return {
      costClass: costClass("plain", 1),
      isQuick: true,
      matches: (password) => timingSafeEqual(digest(password), digest(stored)),
    };
  },

  make(password) {
    return Promise.resolve(Buffer.from(password).toString("latin1"));
  },
};
