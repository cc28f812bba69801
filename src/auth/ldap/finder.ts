/**
 * Finds the one entry of a user on LDAP servers, as who the settings say.
 *
 * *Knows* filters and connections. *Does not know* passwords.
 */

import type { Client } from "ldapts";
import { ConnectionPool, type Outages } from "../connection_pool.ts";
import { type LdapConnection, openLdapConnection } from "./ldap_connection.ts";
import { Attributes } from "./attributes.ts";
import { attributesToRead } from "./entry_reading.ts";
import { filledFilter, type LdapOptions } from "./ldap_options.ts";
import { isLdapAnswer, ldapText } from "./results.ts";

/** What a scope of the settings is to ldapts. */
export const SCOPES = { subtree: "sub", one_level: "one", base: "base" } as const;

/**
 * The user's entry; undefined if there is none. Referrals are not followed: what they name are other
 * servers, to which nobody told us to go.
 *
 * @throws {Error} If there are several, or the server does not search.
 */
export async function searchUser(
  client: Client,
  user: string,
  options: LdapOptions,
): Promise<Attributes | undefined> {
  const { searchEntries } = await client.search(options.base, {
    scope: SCOPES[options.scope],
    filter: filledFilter(options.filter, user),
    attributes: attributesToRead(options),
    explicitBufferAttributes: options.ntHashAttribute === "" ? [] : [options.ntHashAttribute],
    // Two tell as well as more that it is not one.
    sizeLimit: 2,
    timeLimit: Math.ceil(options.operationTimeoutMs / 1_000),
  });
  if (searchEntries.length > 1) {
    throw new SeveralEntries("The filter finds several entries for a name");
  }
  const [entry] = searchEntries;
  return entry === undefined ? undefined : new Attributes(entry);
}

/** The server answered, and what it says is of no use. */
class SeveralEntries extends Error {
  override readonly name = "SeveralEntries";
}

export class LdapFinder {
  readonly #options: LdapOptions;
  readonly #pool: ConnectionPool<LdapConnection>;

  constructor(options: LdapOptions, outages: Outages) {
    this.#options = options;
    this.#pool = ldapPool(options, { binds: true, outages });
  }

  /** @throws {Error} As `searchUser`, and if no server answers. */
  async find(user: string, address?: string): Promise<Attributes | undefined> {
    try {
      return await this.#pool.run(
        ({ client }) => searchUser(client, user, this.#options),
        address,
      );
    } catch (error) {
      throw new Error(ldapText("No user can be searched", error));
    }
  }

  close(): void {
    this.#pool.close();
  }
}

/** Connections to the servers of the settings. */
export function ldapPool(
  options: LdapOptions,
  { binds, outages, useMs }: {
    readonly binds: boolean;
    readonly outages: Outages;
    /** Time for one use, that of an operation unless said. */
    readonly useMs?: number;
  },
): ConnectionPool<LdapConnection> {
  return new ConnectionPool({
    servers: options.urls,
    open: (url) => openLdapConnection(url, options, { binds }),
    end: (connection) => connection.end(),
    isOpen: (connection) => connection.isOpen(),
    isAnswer: (error) => error instanceof SeveralEntries || isLdapAnswer(error),
    connections: options.connections,
    outages,
    openMs: options.connectTimeoutMs + options.operationTimeoutMs,
    useMs: useMs ?? options.operationTimeoutMs,
  });
}
