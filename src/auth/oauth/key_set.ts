/** Where the public keys come from that access tokens are signed with (RFC 7517 §5). */

import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { isObject, type JsonObject } from "./json_object.ts";

/** Finds the key of a token; `jose` asks it. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

export interface KeySource {
  /**
   * The keys as they are taken to be now.
   *
   * @throws {Error} If there have never been any. Its message is for the log.
   */
  current(): Promise<KeySet>;

  /**
   * The keys after those of `known` were not enough; undefined if there are none newer.
   *
   * @throws {Error} If that cannot be found out now, so that an unknown key may be a new one.
   */
  newerThan(known: KeySet): Promise<KeySet | undefined>;
}

/**
 * Makes a key set of what was read.
 *
 * @throws {Error} If it is none, or empty: an empty one is somebody's mistake and would shut all out.
 */
export function parseKeySet(value: JsonObject): KeySet {
  const { keys } = value;
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isObject)) {
    throw new Error("it is no JSON Web Key Set with keys in it");
  }
  return createLocalJWKSet({ keys } as unknown as JSONWebKeySet);
}
