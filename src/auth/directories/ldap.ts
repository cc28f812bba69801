/**
 * The account directories that are LDAP servers: OpenLDAP, Active Directory, 389 Directory Server and
 * others. Three kinds, by the setting `mode`: see LdapOptions.
 *
 * Nothing is connected until somebody logs in, so that popkeep starts whether the servers are there or not.
 *
 * *Knows* what to ask in which order. *Does not know* LDAP's messages.
 */

import { getLogger } from "@logtape/logtape";
import type { Outages } from "../connection_pool.ts";
import type { AccountDirectory, DirectoryCheck, DirectoryEntry, ListedUser } from "../directory.ts";
import { type ReadEntry, readEntry } from "../entry_fields.ts";
import type { Attributes } from "../ldap/attributes.ts";
import { listEntries } from "../ldap/entry_listing.ts";
import { readLdapEntry } from "../ldap/entry_reading.ts";
import { escapeDnValue, isPlainName } from "../ldap/escaping.ts";
import { LdapFinder, searchUser } from "../ldap/finder.ts";
import { faultsOfLdap, type LdapOptions } from "../ldap/ldap_options.ts";
import { UserBinds } from "../ldap/user_bind.ts";
import { LearntDecoys } from "../learnt_decoys.ts";
import { LearntScramShapes } from "../learnt_scram_shapes.ts";
import type { SecretKind } from "../login.ts";
import { fillTemplate, partsOf, variablesIn } from "../name_template.ts";
import type { ScramShapeUse } from "../scram/shapes.ts";
import { faultOfUserName } from "../user_name.ts";

const logger = getLogger(["popkeep", "auth"]);

const WRONG: DirectoryCheck = { kind: "wrong" };

/** @throws {Error} If the options cannot be; its message names the settings. */
export function openLdapDirectory(options: LdapOptions): AccountDirectory {
  const faults = faultsOfLdap(options);
  if (faults.length > 0) throw new Error(faults.join(" "));
  if (isReadable(options)) {
    logger.warn("passwords cross the network readable: LDAP without TLS", { urls: options.urls });
  }
  if (options.mode === "direct") return new DirectDirectory(options);
  return options.mode === "stored" ? new StoredDirectory(options) : new SearchDirectory(options);
}

/** What the two kinds that search by name have in common. */
abstract class FindingDirectory {
  readonly kind = "ldap";
  readonly findsByName = true;
  readonly secretKinds: ReadonlySet<SecretKind>;
  /** Absent where the settings do not say how. */
  readonly listUsers?: (most?: number) => AsyncIterable<ListedUser>;
  protected readonly finder: LdapFinder;
  readonly #scramShapes = new LearntScramShapes();
  readonly #options: LdapOptions;

  constructor(options: LdapOptions, outages: Outages = new Map()) {
    this.#options = options;
    this.secretKinds = secretKindsOf(options);
    this.finder = new LdapFinder(options, outages);
    if (options.iterateFilter !== "") {
      this.listUsers = (most = Infinity) => listEntries(options, { most });
    }
  }

  get scramShapes(): readonly ScramShapeUse[] {
    return this.#scramShapes.mostUsed();
  }

  async lookUp(user: string, address?: string): Promise<DirectoryEntry | undefined> {
    return (await this.find(user, address))?.read.entry;
  }

  close(): Promise<void> {
    this.finder.close();
    return Promise.resolve();
  }

  protected async find(
    user: string,
    address?: string,
  ): Promise<{ readonly dn: string; readonly read: ReadEntry } | undefined> {
    if (!isPossibleName(user)) return undefined;
    const attributes = await this.finder.find(user, address);
    if (attributes === undefined) return undefined;
    const read = readLdapEntry(attributes, this.#options, Date.now());
    this.#scramShapes.learn(read.entry.account.user, read.entry.secrets?.scramSha256);
    return { dn: attributes.dn, read };
  }
}

/** The entry is searched, then bound as. */
class SearchDirectory extends FindingDirectory implements AccountDirectory {
  readonly #binds: UserBinds;

  constructor(options: LdapOptions) {
    const outages: Outages = new Map();
    super(options, outages);
    this.#binds = new UserBinds(options, outages);
  }

  async checkPassword(
    user: string,
    password: Uint8Array,
    address: string | undefined,
  ): Promise<DirectoryCheck> {
    const found = await this.find(user, address);
    if (found === undefined) {
      await this.#binds.pretend();
      return WRONG;
    }
    const { verdict } = await this.#binds.bind(found.dn, password, address, nothingMore);
    const { entry, faulty } = found.read;
    if (verdict === "wrong" || faulty) return WRONG;
    return {
      kind: "right",
      entry: { ...entry, disabled: entry.disabled || verdict === "disabled" },
    };
  }

  override close(): Promise<void> {
    this.#binds.close();
    return super.close();
  }
}

/** The entry is searched, and hands out the password field. */
class StoredDirectory extends FindingDirectory implements AccountDirectory {
  readonly #decoys: LearntDecoys;

  constructor(options: LdapOptions) {
    super(options);
    this.#decoys = new LearntDecoys(options.weakSchemes);
  }

  override async lookUp(user: string, address?: string): Promise<DirectoryEntry | undefined> {
    const entry = await super.lookUp(user, address);
    if (entry !== undefined) this.#decoys.learn(entry.account.user, entry.storedPassword);
    return entry;
  }

  decoyFor(user: string): string {
    return this.#decoys.decoyFor(user);
  }
}

/** Bound at once by a name made of the user's, and what is there to know is searched as that user. */
class DirectDirectory implements AccountDirectory {
  readonly kind = "ldap";
  readonly findsByName = false;
  readonly secretKinds: ReadonlySet<SecretKind> = new Set();
  readonly #options: LdapOptions;
  readonly #binds: UserBinds;

  constructor(options: LdapOptions) {
    this.#options = options;
    this.#binds = new UserBinds(options, new Map());
  }

  lookUp(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async checkPassword(
    user: string,
    password: Uint8Array,
    address: string | undefined,
  ): Promise<DirectoryCheck> {
    const name = isPossibleName(user)
      ? directBindName(this.#options.directBindName, user)
      : undefined;
    if (name === undefined) {
      await this.#binds.pretend();
      return WRONG;
    }
    const searches = this.#options.filter !== "";
    const { verdict, then: attributes } = await this.#binds.bind(
      name,
      password,
      address,
      (client) => searches ? searchUser(client, user, this.#options) : nothingMore(),
    );
    if (verdict === "wrong") return WRONG;
    if (verdict === "right" && searches) return this.#found(user, attributes);
    const { entry, faulty } = this.#entryOf(user, verdict === "disabled");
    return faulty ? WRONG : { kind: "right", entry };
  }

  close(): Promise<void> {
    this.#binds.close();
    return Promise.resolve();
  }

  #found(user: string, attributes: Attributes | undefined): DirectoryCheck {
    if (attributes === undefined) {
      logger.warn("a user's password is right, but the filter does not find the user", { user });
      return WRONG;
    }
    const { entry, faulty } = readLdapEntry(attributes, this.#options, Date.now());
    return faulty ? WRONG : { kind: "right", entry };
  }

  /**
   * The user's name is what was bound with and no more: were the domain kept that `{local}` leaves out,
   * any domain would do, and with it somebody else's mailbox.
   */
  #entryOf(user: string, disabled: boolean): ReadEntry {
    const variables = variablesIn(this.#options.directBindName);
    const whole = variables.includes("user") || variables.includes("domain");
    const name = (whole ? user : partsOf(user).local).toLowerCase();
    return readEntry("ldap", { user: name, storedPassword: "", disabled, extra: {} });
  }
}

/**
 * The name to bind with; undefined if the user's cannot be put into it. Servers take more than one spelling
 * for the same (RFC 4518: wide letters, several blanks), which would be as many mailboxes: only the ASCII
 * that they take in one way is let through.
 */
export function directBindName(template: string, user: string): string | undefined {
  if (!/^[A-Za-z0-9.!#$%&'_`{}~^@-]+$/.test(user)) return undefined;
  const parts = partsOf(user);
  if (variablesIn(template).some((variable) => parts[variable] === "")) return undefined;
  if (template.includes("=")) return fillTemplate(template, parts, escapeDnValue);
  const fits = variablesIn(template).every((variable) =>
    isPlainName(parts[variable], template === "{user}")
  );
  return fits ? fillTemplate(template, parts, (value) => value) : undefined;
}

function isPossibleName(user: string): boolean {
  return faultOfUserName(user) === undefined;
}

function secretKindsOf(options: LdapOptions): ReadonlySet<SecretKind> {
  const kinds = new Set<SecretKind>();
  if (options.ntHashAttribute !== "") kinds.add("ntHash");
  if (options.scramSha256Attribute !== "") kinds.add("scramSha256");
  return kinds;
}

/** Whether passwords cross the network as they are. */
function isReadable({ urls, startTls }: LdapOptions): boolean {
  const here = /^ldap:\/\/(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?\/?$/;
  return !startTls && urls.some((url) => url.startsWith("ldap:") && !here.test(url));
}

function nothingMore(): Promise<undefined> {
  return Promise.resolve(undefined);
}
