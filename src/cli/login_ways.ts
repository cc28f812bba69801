/**
 * The ways to log in besides USER and PASS that the settings turn on, and which of them can succeed for one
 * client: on its connection, with the directories and their secrets as they are now.
 *
 * *Knows*: the mechanisms. *Does not know*: settings files, sockets, how a secret is checked.
 */

import { randomBytes } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import type { Authenticator } from "../auth/authenticator.ts";
import type { ClientCertificates } from "../auth/client_certificates/client_certificates.ts";
import type { Kerberos } from "../auth/gssapi/kerberos.ts";
import type { Mechanism } from "../auth/mechanism.ts";
import { externalMechanism } from "../auth/mechanisms/external.ts";
import { gssapiMechanism } from "../auth/mechanisms/gssapi.ts";
import { ntlmByHelperMechanism, type NtlmHelper } from "../auth/mechanisms/ntlm_by_helper.ts";
import { ntlmMechanism } from "../auth/mechanisms/ntlm.ts";
import { oauthbearerMechanism } from "../auth/mechanisms/oauthbearer.ts";
import { plainMechanism } from "../auth/mechanisms/plain.ts";
import { scramSha256Mechanisms } from "../auth/mechanisms/scram_sha_256.ts";
import { xoauth2Mechanism } from "../auth/mechanisms/xoauth2.ts";
import type { ServerNames } from "../auth/ntlm/challenge_message.ts";
import {
  canBeMet,
  expectedBindings,
  type ExtendedProtection,
} from "../auth/extended_protection.ts";
import type { TokenValidator } from "../auth/oauth/token_validator.ts";
import type { SecureChannel } from "../auth/secure_channel.ts";

const logger = getLogger(["popkeep", "auth"]);

/** What each way needs; one that is undefined is off. */
export interface WaysOptions {
  readonly authenticator: Authenticator;
  /** Names of those that may be offered; empty means all. */
  readonly mechanisms: readonly string[];
  readonly extendedProtection: ExtendedProtection;
  readonly ntlm: NtlmWay | undefined;
  readonly kerberos: Kerberos | undefined;
  readonly oauth: OAuthWay | undefined;
  readonly clientCertificates: ClientCertificates | undefined;
}

export interface NtlmWay {
  readonly names: ServerNames;
  readonly ownDomains: readonly string[];
  /** Who checks for the accounts of a Windows domain; undefined where the directories have the hashes. */
  readonly helper: NtlmHelper | undefined;
}

export interface OAuthWay {
  readonly validator: TokenValidator;
  /** Parted by blanks. */
  readonly scope: string;
  readonly openidConfiguration: string;
}

export class LoginWays {
  readonly #options: WaysOptions;

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  /** The mechanisms for a client, those first that show no password. */
  mechanismsFor(address: string, channel: SecureChannel | undefined): readonly Mechanism[] {
    const { authenticator, mechanisms } = this.#options;
    const desk = authenticator.deskFor(address);
    const possible = [
      ...this.#external(address, channel),
      ...this.#gssapi(address, channel),
      ...this.#ntlm(address, channel),
      ...this.#scram(address, channel),
      ...this.#oauth(address),
      plainMechanism(desk.checkPassword),
    ];
    return mechanisms.length === 0
      ? possible
      : possible.filter(({ name }) => mechanisms.includes(name));
  }

  #external(address: string, channel: SecureChannel | undefined): readonly Mechanism[] {
    const { clientCertificates, authenticator } = this.#options;
    const identity = clientCertificates?.identityOf(channel);
    if (identity === undefined || !authenticator.findsByName) return [];
    return [externalMechanism(authenticator.deskFor(address), identity)];
  }

  #gssapi(address: string, channel: SecureChannel | undefined): readonly Mechanism[] {
    const { kerberos, authenticator, extendedProtection } = this.#options;
    if (kerberos === undefined || !authenticator.findsByName || !kerberos.usable) return [];
    if (!canBeMet(extendedProtection, expectedBindings(channel))) return [];
    const acceptor = kerberos.acceptorFor({ address, channel });
    return [gssapiMechanism(authenticator.deskFor(address), acceptor)];
  }

  #ntlm(address: string, channel: SecureChannel | undefined): readonly Mechanism[] {
    const { ntlm, authenticator, extendedProtection } = this.#options;
    if (ntlm === undefined) return [];
    const desk = authenticator.deskFor(address);
    const onRefusal = (user: string, reason: string) => {
      logger.info("NTLM refuses a client whatever its password", { user, reason, address });
    };
    const common = { extendedProtection, channel, onRefusal };
    const { helper, names, ownDomains } = ntlm;
    if (helper !== undefined) {
      if (!authenticator.findsByName) return [];
      const { netbiosDomain } = names;
      return some(ntlmByHelperMechanism(desk, { ...common, helper, address, netbiosDomain }));
    }
    if (!authenticator.hasSecrets("ntHash")) return [];
    const own = { names, ownDomains, random: randomBytes, nowMs: Date.now };
    return some(ntlmMechanism(desk, { ...common, ...own }));
  }

  #scram(address: string, channel: SecureChannel | undefined): readonly Mechanism[] {
    const { authenticator, mechanisms } = this.#options;
    if (!authenticator.hasSecrets("scramSha256")) return [];
    return scramSha256Mechanisms(authenticator.deskFor(address), {
      channel,
      offersPlus: mechanisms.length === 0 || mechanisms.includes("SCRAM-SHA-256-PLUS"),
      random: randomBytes,
      spelling: (user) => authenticator.accountOf(user),
    });
  }

  #oauth(address: string): readonly Mechanism[] {
    const { oauth, authenticator } = this.#options;
    if (oauth === undefined || !authenticator.findsByName) return [];
    const options = {
      desk: authenticator.deskFor(address),
      checkToken: oauth.validator.checkFrom(address),
      scope: oauth.scope,
      openidConfiguration: oauth.openidConfiguration,
    };
    return [oauthbearerMechanism(options), xoauth2Mechanism(options)];
  }
}

function some(mechanism: Mechanism | undefined): readonly Mechanism[] {
  return mechanism === undefined ? [] : [mechanism];
}
