/**
 * What the sessions of a running server can reach: one set for all, and what depends on the client on top
 * of it.
 *
 * *Knows*: who checks logins. *Does not know*: settings, sockets.
 */

import type { Authenticator } from "../auth/authenticator.ts";
import type { CheckPassword } from "../auth/login.ts";
import type { Mechanism } from "../auth/mechanism.ts";
import type { SecureChannel } from "../auth/secure_channel.ts";
import type { MaildropStore } from "../maildrop/store.ts";
import type { AdmitUser, LoginType, SessionServices } from "../session/services.ts";
import type { LoginWays } from "./login_ways.ts";

/** What all sessions share until the settings are read again. */
export interface SharedServices {
  readonly banner: string;
  readonly implementation: string;
  readonly loginType: LoginType;
  readonly eightBitHeaders: "send" | "refuse";
  readonly ntlmFirstReply: "+" | "+OK";
  readonly store: MaildropStore;
  readonly admitUser: AdmitUser;
  readonly maxBadCommands: number;
  readonly maxFailedLogins: number;
  readonly expires: NonNullable<SessionServices["expires"]>;
  /**
   * Who decides about logins now: asked at each, so that a reload holds for clients that were connected
   * before it.
   */
  logins(): { readonly authenticator: Authenticator; readonly ways: LoginWays };
}

/** Small, since each connection has one: what it says is asked of `shared` or made when it is needed. */
export class ClientServices implements SessionServices {
  readonly #shared: SharedServices;
  readonly #address: string;

  constructor(shared: SharedServices, address: string) {
    this.#shared = shared;
    this.#address = address;
  }

  get banner(): string {
    return this.#shared.banner;
  }

  get implementation(): string {
    return this.#shared.implementation;
  }

  get loginType(): LoginType {
    return this.#shared.loginType;
  }

  get eightBitHeaders(): "send" | "refuse" {
    return this.#shared.eightBitHeaders;
  }

  get ntlmFirstReply(): "+" | "+OK" {
    return this.#shared.ntlmFirstReply;
  }

  get store(): MaildropStore {
    return this.#shared.store;
  }

  get admitUser(): AdmitUser {
    return this.#shared.admitUser;
  }

  get maxBadCommands(): number {
    return this.#shared.maxBadCommands;
  }

  get maxFailedLogins(): number {
    return this.#shared.maxFailedLogins;
  }

  get expires(): NonNullable<SessionServices["expires"]> {
    return this.#shared.expires;
  }

  get checkPassword(): CheckPassword {
    return this.#shared.logins().authenticator.deskFor(this.#address).checkPassword;
  }

  freshen(): Promise<unknown> | undefined {
    return this.#shared.logins().authenticator.freshen();
  }

  mechanismsFor(channel: SecureChannel | undefined): readonly Mechanism[] {
    return this.#shared.logins().ways.mechanismsFor(this.#address, channel);
  }
}
