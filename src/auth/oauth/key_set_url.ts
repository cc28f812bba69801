/**
 * Keys from an authorization server (`jwks_uri`, RFC 8414 §2), fetched when the first token comes, when
 * they are old, and when a token's key is not among them: that is how servers change keys.
 *
 * - Old keys are good until newer ones have come: an outage there is none here for who has a token. But
 *   a token with a key that is not known is then neither right nor wrong.
 * - Between two fetches passes a time, whatever tokens come and whether the last one failed, so that
 *   nobody makes us hammer somebody's server, and an outage delays one login now and then and not each.
 */

import { getLogger } from "@logtape/logtape";
import {
  OAUTH_KEY_SET_AGE_MS,
  OAUTH_KEY_SET_COOLDOWN_MS,
  OAUTH_KEY_SET_OCTETS,
} from "../../limits.ts";
import { requestJson } from "./json_request.ts";
import { type KeySet, type KeySource, parseKeySet } from "./key_set.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface KeySetUrlOptions {
  /** Any clock that does not run backwards, ms. */
  readonly nowMs?: () => number;
  /** OAUTH_REQUEST_MS unless said. */
  readonly timeLimitMs?: number;
}

export class KeySetUrl implements KeySource {
  readonly #url: string;
  readonly #nowMs: () => number;
  readonly #options: KeySetUrlOptions;
  #keys: KeySet | undefined;
  /** When `#keys` came. */
  #fetchedMs = 0;
  /** When a fetch last ended, well or not. */
  #triedMs = -Infinity;
  #fetching: Promise<void> | undefined;
  /** Why the last fetch failed; undefined if it did not. */
  #failure: string | undefined;

  constructor(url: string, options: KeySetUrlOptions = {}) {
    this.#url = url;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#options = options;
  }

  async current(): Promise<KeySet> {
    if (this.#keys === undefined || this.#nowMs() - this.#fetchedMs >= OAUTH_KEY_SET_AGE_MS) {
      await this.#fetchUnlessJustTried();
    }
    if (this.#keys === undefined) throw new Error(this.#failure);
    return this.#keys;
  }

  async newerThan(known: KeySet): Promise<KeySet | undefined> {
    if (this.#keys === known) await this.#fetchUnlessJustTried();
    if (this.#keys !== known) return this.#keys;
    if (this.#failure !== undefined) throw new Error(this.#failure);
    return undefined;
  }

  /** One fetch at a time; who comes meanwhile waits for it. */
  async #fetchUnlessJustTried(): Promise<void> {
    if (this.#fetching === undefined) {
      if (this.#nowMs() - this.#triedMs < OAUTH_KEY_SET_COOLDOWN_MS) return;
      this.#fetching = this.#fetch().finally(() => {
        this.#triedMs = this.#nowMs();
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const url = this.#url;
    const { timeLimitMs } = this.#options;
    try {
      this.#keys = parseKeySet(
        await requestJson({
          url,
          maxOctets: OAUTH_KEY_SET_OCTETS,
          ...(timeLimitMs === undefined ? {} : { timeLimitMs }),
        }),
      );
      this.#fetchedMs = this.#nowMs();
      if (this.#failure !== undefined) {
        logger.info("the key set of access tokens can be used again", { url });
      }
      this.#failure = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#failure === undefined) {
        logger.error("the key set of access tokens cannot be used; the keys stay as they were", {
          url,
          error: reason,
        });
      }
      this.#failure = reason;
    }
  }
}
