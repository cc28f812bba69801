/**
 * All users of LDAP servers, by the filter of the settings that finds them.
 *
 * They come by pages (RFC 2696), since servers give no more than so many entries at once. A page after the first is to
 * be had only on the connection that had the one before it, and servers soon forget: so all pages are read at once and
 * kept, as text, until each user has had a turn. They are from one server: where it fails in the middle, the next one
 * begins again, and where none comes to the end there is no list at all.
 *
 * Only what says where a user's mail is and what holds for it is asked for, no secrets.
 *
 * *Knows* filters and connections. *Does not know* what the users are wanted for.
 */

import type { Client } from "ldapts";
import {
  DIRECTORY_LIST_ENTRIES,
  DIRECTORY_LISTED_USERS,
  DIRECTORY_LISTING_MS,
} from "../../limits.ts";
import type { ListedUser } from "../directory.ts";
import { foldedName } from "../user_name.ts";
import { Attributes } from "./attributes.ts";
import { accountAttributes, readLdapEntry } from "./entry_reading.ts";
import { ldapPool, SCOPES } from "./finder.ts";
import type { LdapOptions } from "./ldap_options.ts";
import { ldapText } from "./results.ts";

export interface EntryListing {
  /** So many will do. */
  readonly most: number;
  /** In a page. */
  readonly pageEntries?: number;
}

/** @throws {Error} If no server lists them to the end. */
export async function* listEntries(
  options: LdapOptions,
  listing: EntryListing,
): AsyncGenerator<ListedUser> {
  // Of its own: that the list takes too long says nothing of look-ups.
  const pool = ldapPool(options, {
    binds: true,
    outages: new Map(),
    useMs: DIRECTORY_LISTING_MS,
  });
  let users: KeptUsers;
  try {
    users = await pool.run(({ client }) => readPages(client, options, listing));
  } catch (error) {
    throw new Error(ldapText("The users cannot be listed", error));
  } finally {
    pool.close();
  }
  yield* users.each();
}

async function readPages(
  client: Client,
  options: LdapOptions,
  { most, pageEntries = DIRECTORY_LIST_ENTRIES }: EntryListing,
): Promise<KeptUsers> {
  const users = new KeptUsers();
  const pages = client.searchPaginated(options.base, {
    scope: SCOPES[options.scope],
    filter: options.iterateFilter,
    attributes: accountAttributes(options),
    paged: { pageSize: Math.min(most, pageEntries) },
    timeLimit: Math.ceil(options.operationTimeoutMs / 1_000),
  });
  for await (const { searchEntries } of pages) {
    for (const entry of searchEntries) users.add(userOf(new Attributes(entry), options));
    if (users.size >= most) break;
    if (users.size > DIRECTORY_LISTED_USERS) {
      throw new Error(`iterate_filter finds more than ${DIRECTORY_LISTED_USERS} users`);
    }
  }
  return users;
}

function userOf(attributes: Attributes, options: LdapOptions): ListedUser {
  try {
    // It is not about a login: what keeps a user out was not asked for.
    const { entry } = readLdapEntry(attributes, options, 0);
    const { account, fault } = entry;
    return fault === undefined ? { user: account.user, account } : { user: account.user, fault };
  } catch (error) {
    return { user: attributes.dn, fault: error instanceof Error ? error.message : String(error) };
  }
}

/** Users as text, which takes a fraction of what they take as objects. */
class KeptUsers {
  readonly #texts: string[] = [];
  readonly #names = new Set<string>();
  readonly #twins = new Set<string>();

  get size(): number {
    return this.#texts.length;
  }

  add(listed: ListedUser): void {
    const name = foldedName(listed.user);
    if (this.#names.has(name)) this.#twins.add(name);
    this.#names.add(name);
    this.#texts.push(JSON.stringify(listed));
  }

  /** Of two entries with one name neither says who it is; a look-up does, or says why not. */
  *each(): Generator<ListedUser> {
    for (const text of this.#texts) {
      const listed = JSON.parse(text) as ListedUser;
      const { user, fault } = listed;
      yield fault === undefined && this.#twins.has(foldedName(user)) ? { user } : listed;
    }
  }
}
