/**
 * The keys under which failed logins are counted: digests of what a client said, under a key of the
 * server's own.
 *
 * So entries are of one size whatever a client sends, and the file of counts does not name who has an
 * account here, or who failed. Who has the file has the key too and can try names; it is readable to the
 * server's user only.
 *
 * *Does not know* what is counted.
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { countedAddress, siteOf } from "../../counted_address.ts";

const KEY_OCTETS = 32;

/** Logins whose keys are kept, some 500 octets each. */
const RECENT_KEYS = 4_096;

/** Of 32: enough that nobody finds two that meet. */
const DIGEST_OCTETS = 16;

/** What the text of a digest looks like. */
export const DIGEST_TEXT = /^[A-Za-z0-9_-]{22}$/;

/** One login's keys. */
export interface LoginKeys {
  readonly address: string;
  /** Of the network around the address that may be the same client's; undefined where there is none. */
  readonly site: string | undefined;
  /** Undefined where no account was named. */
  readonly account: string | undefined;
  /**
   * Of the account and where it was tried from, by site where there is one: whoever has a site's 65,536
   * networks would have a guess from each. That of the place alone where no account was named.
   */
  readonly pair: string;
  /** Of the account and the address itself: who logged in there lately need not be who is next door. */
  readonly known: string;
}

export class GuessingKeys {
  /** base64url, 32 octets. */
  readonly text: string;
  readonly #key: Uint8Array;
  /** Clients poll, and five digests are a tenth of what a login costs. The first one is the oldest. */
  readonly #recent = new Map<string, LoginKeys>();
  /** Digests of passwords live and die with the process. */
  readonly #passwordKey = randomBytes(KEY_OCTETS);

  /** @param text What `text` was of an earlier one; a new key without. */
  constructor(text?: string) {
    this.#key = text === undefined ? randomBytes(KEY_OCTETS) : Buffer.from(text, "base64url");
    this.text = Buffer.from(this.#key).toString("base64url");
  }

  static isKey(text: unknown): text is string {
    return typeof text === "string" && /^[A-Za-z0-9_-]{43}$/.test(text);
  }

  /**
   * @param address The client's; undefined if it is not known. All of those are one.
   * @param user The name whose secret is tried, as the directories know it; "" where none was said. Two
   *   spellings that differ in case, or in how Unicode writes them, are one: it costs an attacker
   *   nothing to vary them.
   */
  of(address: string | undefined, user: string): LoginKeys {
    const who = `${address ?? ""} ${user}`;
    const recent = this.#recent.get(who);
    if (recent !== undefined) return recent;
    const keys = this.#make(address, user);
    for (const oldest of this.#recent.size < RECENT_KEYS ? [] : this.#recent.keys()) {
      this.#recent.delete(oldest);
      break;
    }
    this.#recent.set(who, keys);
    return keys;
  }

  #make(address: string | undefined, user: string): LoginKeys {
    const counted = address === undefined ? "" : countedAddress(address);
    const name = user.normalize("NFKC").toLowerCase();
    const site = address === undefined ? undefined : siteOf(address);
    return {
      address: this.#digest("address", counted),
      site: site === undefined ? undefined : this.#digest("site", site),
      account: name === "" ? undefined : this.#digest("account", name),
      pair: this.#digest("pair", site ?? counted, name),
      known: this.#digest("known", counted, name),
    };
  }

  /** Of a secret that was tried, by whom and for whom. */
  ofTried({ pair }: LoginKeys, tried: Uint8Array): string {
    return createHmac("sha256", this.#passwordKey).update(pair).update(tried)
      .digest().toString("base64url", 0, DIGEST_OCTETS);
  }

  #digest(...parts: readonly string[]): string {
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) {
      const octets = Buffer.from(part, "utf8");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(octets.length);
      hmac.update(length).update(octets);
    }
    return hmac.digest().toString("base64url", 0, DIGEST_OCTETS);
  }
}
