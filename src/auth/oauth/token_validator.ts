/**
 * Decides whether an access token lets somebody in, and as whom: signed tokens by a key set, others by
 * asking the authorization server.
 *
 * *Knows* where tokens are checked, and the log. *Does not know* users, mechanisms or POP3.
 * Invariant: no token is ever in the log, nor a part of one that could be used.
 */

import { getLogger } from "@logtape/logtape";
import { countedAddress } from "../../counted_address.ts";
import {
  OAUTH_INACTIVE_TOKENS,
  OAUTH_INACTIVE_TOKENS_ADDRESSES,
  OAUTH_INACTIVE_TOKENS_MS,
} from "../../limits.ts";
import { MemoryCounts } from "../guessing/counts.ts";
import { checkClaims, type ClaimRules, type ClaimsFault } from "./claims.ts";
import { Introspection, type IntrospectionOptions, readSecret } from "./introspection.ts";
import { urlFault } from "./json_request.ts";
import { isJwt, readJwt } from "./jwt.ts";
import type { KeySource } from "./key_set.ts";
import { openKeySetFile } from "./key_set_file.ts";
import { KeySetUrl } from "./key_set_url.ts";
import type { CheckToken, TokenVerdict } from "./token_check.ts";
import { TokenMemory } from "./token_memory.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface TokenValidatorOptions extends ClaimRules {
  /** File or URL of a JSON Web Key Set; "" checks no signatures. */
  readonly keySet: string;
  /** Undefined asks nobody. */
  readonly introspection: IntrospectionOptions | undefined;
  /** The time of day, ms. */
  readonly nowMs?: () => number;
}

/**
 * Makes ready to check tokens. A key set's URL is asked when it is first needed, so that an authorization
 * server that is down does not keep ours from starting.
 *
 * @throws {Error} If a file cannot be used or a URL may not be, or keys are trusted for any audience.
 */
export async function openTokenValidator(options: TokenValidatorOptions): Promise<TokenValidator> {
  const { keySet, introspection, audience } = options;
  const keysFromUrl = /^https?:/i.test(keySet);
  for (const url of [keysFromUrl ? keySet : "", introspection?.url ?? ""]) {
    const fault = url === "" ? undefined : urlFault(url);
    if (fault !== undefined) throw new Error(`${url} cannot be asked about tokens: ${fault}`);
  }
  if (introspection !== undefined && introspection.clientSecretFile !== "") {
    await readSecret(introspection.clientSecretFile);
  }
  warnOfWidth(options);
  if (keySet === "") return new TokenValidator(options, undefined);
  // Whoever gets a user's token for some other service of the same issuer could read the mail with it.
  if (audience.length === 0) throw new Error("A key set of access tokens needs an audience");
  const keys = keysFromUrl ? new KeySetUrl(keySet) : await openKeySetFile(keySet);
  return new TokenValidator(options, keys);
}

/** What the settings allow and hardly anybody means. */
function warnOfWidth({ keySet, introspection, issuer, audience, scopes }: TokenValidatorOptions) {
  if (keySet !== "" && issuer === "") {
    logger.warn("access tokens of every issuer are taken that has a key in the key set");
  }
  if (introspection !== undefined && audience.length === 0 && scopes.length === 0) {
    logger.warn("access tokens for every purpose are taken that the authorization server knows");
  }
}

/** What a check came to, and for the log why. */
type Checked = { readonly user: string } | ClaimsFault;

const INACTIVE: Checked = {
  fault: "invalid_token",
  reason: "the authorization server does not call it active",
};

export class TokenValidator {
  readonly #rules: ClaimRules;
  readonly #keys: KeySource | undefined;
  readonly #introspection: Introspection | undefined;
  readonly #nowMs: () => number;
  readonly #memory: TokenMemory;
  /** Tokens that were not active, by the address that they came from. */
  readonly #inactive = new MemoryCounts({
    keepMs: OAUTH_INACTIVE_TOKENS_MS,
    maxKeys: OAUTH_INACTIVE_TOKENS_ADDRESSES,
  });
  /** Questions under way, by the token's digest: the same token at the same time is one question. */
  readonly #asking = new Map<string, Promise<Checked | "inactive">>();

  /** Use `openTokenValidator`. */
  constructor(options: TokenValidatorOptions, keys: KeySource | undefined) {
    this.#rules = options;
    this.#keys = keys;
    this.#introspection = options.introspection && new Introspection(options.introspection);
    this.#nowMs = options.nowMs ?? Date.now;
    this.#memory = new TokenMemory(this.#nowMs);
  }

  /** For the connections of one client address, which the log tells. */
  checkFrom(address: string): CheckToken {
    return (token, claimed) => this.#check(token, claimed, address);
  }

  async #check(
    token: string | undefined,
    claimed: string,
    address: string,
  ): Promise<TokenVerdict> {
    try {
      const checked = await this.#examine(token, countedAddress(address));
      if ("user" in checked) return { kind: "valid", user: checked.user };
      const { fault, reason, found } = checked;
      logger.info("an access token is refused", { user: claimed, address, reason, found });
      return { kind: "invalid", fault };
    } catch (error) {
      logger.error("an access token cannot be checked", {
        user: claimed,
        address,
        reason: error instanceof Error ? error.message : String(error),
      });
      return { kind: "unavailable" };
    }
  }

  /** @throws {Error} If it cannot be found out now. */
  async #examine(token: string | undefined, source: string): Promise<Checked> {
    if (token === undefined) {
      return { fault: "invalid_request", reason: "it is no bearer token, or too long" };
    }
    if (this.#keys !== undefined && isJwt(token)) return await this.#examineJwt(token, this.#keys);
    if (this.#introspection === undefined) {
      return { fault: "invalid_token", reason: "it is no JSON Web Token, and nobody can be asked" };
    }
    const digest = this.#memory.digest(token);
    const user = this.#memory.recall(digest);
    if (user !== undefined) return { user };
    if (await this.#inactive.read(source) >= OAUTH_INACTIVE_TOKENS) {
      throw new Error("too many tokens from this address were not active");
    }
    const asking = this.#asking.get(digest) ??
      this.#ask(token, digest, this.#introspection).finally(() => this.#asking.delete(digest));
    this.#asking.set(digest, asking);
    const checked = await asking;
    if (checked === "inactive") await this.#inactive.add(source);
    return checked === "inactive" ? INACTIVE : checked;
  }

  async #examineJwt(token: string, keys: KeySource): Promise<Checked> {
    // RFC 9068 §2.2: both have to be there; without an end a token would be a password for ever.
    const requiredClaims = this.#rules.issuer === "" ? ["exp"] : ["exp", "iss"];
    const read = await readJwt(token, { keys, requiredClaims, nowMs: this.#nowMs });
    if ("claims" in read) return checkClaims(read.claims, this.#rules, this.#nowMs());
    return { fault: "invalid_token", ...read };
  }

  async #ask(
    token: string,
    digest: string,
    introspection: Introspection,
  ): Promise<Checked | "inactive"> {
    const claims = await introspection.ask(token);
    if (claims === undefined) return "inactive";
    const checked = checkClaims(claims, this.#rules, this.#nowMs());
    if ("user" in checked) this.#memory.remember(digest, checked.user, checked.endsMs);
    return checked;
  }
}
