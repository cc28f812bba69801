/**
 * Checks passwords by binding with them (RFC 4513 §5.1.3).
 *
 * Never with an empty password, nor one that a server written in C may take for empty: such a bind is one of
 * nobody, and succeeds (RFC 4513 §5.1.2). Never as an empty name, for the same reason.
 *
 * *Knows* connections and what answers mean. *Does not know* entries.
 */

import type { Client } from "ldapts";
import type { ConnectionPool, Outages } from "../connection_pool.ts";
import { BindTimes } from "./bind_times.ts";
import { ldapPool } from "./finder.ts";
import type { LdapConnection } from "./ldap_connection.ts";
import type { LdapOptions } from "./ldap_options.ts";
import { type BindVerdict, ldapText, verdictOfRefusal } from "./results.ts";

export class UserBinds {
  readonly #pool: ConnectionPool<LdapConnection>;
  readonly #times = new BindTimes();

  constructor(options: LdapOptions, outages: Outages) {
    this.#pool = ldapPool(options, { binds: false, outages });
  }

  /**
   * Binds as `name`. `then` is done on the same connection, as that user, where the bind succeeded.
   *
   * @throws {Error} If nothing can be found out now.
   */
  async bind<T>(
    name: string,
    password: Uint8Array,
    address: string | undefined,
    then: (client: Client) => Promise<T>,
  ): Promise<{ readonly verdict: BindVerdict; readonly then?: T }> {
    const text = bindPassword(password);
    // What has none of these is no name, or one of the SASL mechanisms that ldapts takes for no name.
    if (text === undefined || !/[=@\\]/.test(name)) {
      await this.pretend();
      return { verdict: "wrong" };
    }
    try {
      return await this.#pool.run(async ({ client }) => {
        const verdict = await this.#times.measure(() => bindOnce(client, name, text));
        return verdict === "right" ? { verdict, then: await then(client) } : { verdict };
      }, address);
    } catch (error) {
      throw new Error(ldapText("A password cannot be checked", error));
    }
  }

  /** Takes as long as a bind, for a name that nobody has. */
  pretend(): Promise<void> {
    return this.#times.pretend();
  }

  close(): void {
    this.#pool.close();
  }
}

async function bindOnce(client: Client, name: string, password: string): Promise<BindVerdict> {
  try {
    await client.bind(name, password);
    return "right";
  } catch (error) {
    return verdictOfRefusal(error);
  }
}

/** The password as text that ldapts makes the same octets of; undefined if it cannot be anybody's. */
function bindPassword(password: Uint8Array): string | undefined {
  if (password.length === 0 || password.includes(0)) return undefined;
  try {
    // RFC 4513 §5.1.3: passwords are UTF-8.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(password);
  } catch {
    return undefined;
  }
}
