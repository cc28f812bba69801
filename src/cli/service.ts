/**
 * A running popkeep: the rooms put together as the settings say, and put together anew when they
 * change.
 *
 * A reload prepares everything that can fail first and then changes over, so that bad settings change
 * nothing. What did not change is kept, for what it remembers: right passwords, mailboxes in memory.
 *
 * *Knows*: all rooms. *Does not know*: signals, the command line.
 */

import { configureLog } from "../admin/log.ts";
import { type ProtocolLines, ProtocolLog, type ProtocolLogOptions } from "../admin/protocol_log.ts";
import { addressesIn } from "../auth/allowed_networks.ts";
import { ExpiryOfUsers } from "./expiry_of_users.ts";
import { ignoredFolders } from "../delivery/quota_limits.ts";
import { MaildirStore, type MaildirStoreOptions } from "../maildir/maildir_store.ts";
import { OpenMailboxes } from "../maildir/open_mailboxes.ts";
import { ConnectionLimits, type ConnectionMaxima } from "../net/connection_limits.ts";
import type { LmtpChange } from "../net/lmtp/lmtp_server.ts";
import type { PlaceCounts } from "../net/place_counts.ts";
import { Pop3Server } from "../net/server.ts";
import type { Serving } from "../net/serving.ts";
import type { Settings } from "../settings.ts";
import type { Beginning } from "./beginning.ts";
import { ClientServices, type SharedServices } from "./client_services.ts";
import { guessingOptions } from "./guessing_options.ts";
import type { LmtpPart } from "./lmtp/lmtp_part.ts";
import { type LoginParts, loginParts } from "./login_parts.ts";
import { Parts } from "./parts.ts";
import { bindingsOf, protocolLogOptions } from "./server_options.ts";
import type { Remembered } from "./remembered.ts";
import { tlsAcceptorFor } from "./tls_part.ts";
import { VERSION } from "./version.ts";

/** What a service has in common with others that serve beside it, on the same ports. */
export interface InCommon {
  readonly places: PlaceCounts;
  readonly remembered: Remembered;
  readonly openProtocolLog: (options: ProtocolLogOptions) => ProtocolLines;
  /** Whether the sockets of this machine are ours to serve: several cannot have one. */
  readonly hasSockets: boolean;
  /** Of which mailboxes may be lent before the service begins. */
  readonly openMailboxes: OpenMailboxes;
}

/** What the sessions that begin now are served with. */
interface Serves {
  readonly settings: Settings;
  readonly logins: LoginParts;
  readonly store: MaildirStore;
  readonly expiry: ExpiryOfUsers;
}

export class Service {
  readonly #limits: ConnectionLimits;
  readonly #server: Pop3Server;
  #parts: Parts;
  #serves: Serves;
  readonly #protocolLog: ProtocolLog;
  readonly #inCommon: InCommon | undefined;
  readonly #openMailboxes: OpenMailboxes;
  #hasSockets: boolean;
  /** Made when the settings first have it. */
  #lmtp: LmtpPart | undefined;

  private constructor(
    parts: Parts,
    serves: Serves,
    openMailboxes: OpenMailboxes,
    inCommon: InCommon | undefined,
  ) {
    const { settings } = serves;
    this.#openMailboxes = openMailboxes;
    this.#parts = parts;
    this.#serves = serves;
    this.#inCommon = inCommon;
    this.#hasSockets = inCommon?.hasSockets ?? true;
    this.#protocolLog = new ProtocolLog(protocolLogOptions(settings), inCommon?.openProtocolLog);
    this.#limits = new ConnectionLimits(maximaOf(settings), inCommon?.places);
    this.#server = new Pop3Server(this.#limits, { sharedPorts: inCommon !== undefined });
  }

  /**
   * Opens everything and listens.
   *
   * @param beginning `placesHad` may throw what it likes, which is then thrown.
   * @param inCommon Without, it serves alone.
   * @throws {PlaceFailure} If a place to listen on cannot be had.
   * @throws {SettingFault} If a file that the settings name cannot be used.
   */
  static async start(
    settings: Settings,
    beginning: Beginning = {},
    inCommon?: InCommon,
  ): Promise<Service> {
    const parts = new Parts();
    try {
      const openMailboxes = inCommon?.openMailboxes ?? new OpenMailboxes();
      const serves = await servesBy(settings, parts, openMailboxes, inCommon?.remembered);
      const service = new Service(parts, serves, openMailboxes, inCommon);
      await service.#listen(service.#serves, beginning);
      return service;
    } catch (error) {
      await parts.undo();
      throw error;
    }
  }

  /**
   * Goes on with other settings, and reads users and certificates again. Connections go on.
   *
   * @throws {Error} As `start` does; then everything is as before.
   */
  async reload(settings: Settings): Promise<void> {
    const before = this.#serves;
    const parts = new Parts(this.#parts);
    let serves: Serves;
    try {
      serves = await servesBy(
        settings,
        parts,
        this.#openMailboxes,
        this.#inCommon?.remembered,
      );
      await this.#listen(serves);
    } catch (error) {
      await parts.undo();
      throw error;
    }
    const kept = before.logins.directories;
    this.#parts = parts;
    this.#serves = serves;
    this.#limits.maxima = maximaOf(settings);
    configureLog(settings);
    serves.logins.remembered.guard.reload(guessingOptions(settings));
    this.#protocolLog.change(protocolLogOptions(settings));
    // The log says so if one cannot be read; its users stay as they were.
    for (const directory of serves.logins.directories) {
      if (kept.includes(directory)) await directory.reload?.();
    }
    await parts.closeBefore();
  }

  /** Stops; sessions get the settings' time to QUIT. */
  async stop(): Promise<void> {
    // Nobody who is about to be sent away waits for the answer to a failed login.
    this.#serves.logins.remembered.guard.hasten();
    const { shutdownGracePeriodMs: graceMs } = this.#serves.settings;
    await Promise.all([this.#server.stop(graceMs), this.#lmtp?.stop(graceMs)]);
    await this.#parts.closeAllBut();
    await this.#protocolLog.close();
  }

  /** Lends a mailbox, as `OpenMailboxes.lend` does. */
  borrow(path: string): Promise<(() => void) | undefined> {
    return this.#openMailboxes.lend(path);
  }

  /** Cuts short the time that `stop` is giving. */
  hasten(): void {
    this.#server.hasten();
    this.#lmtp?.hasten();
  }

  /** From now on the sockets of this machine are ours to serve: whoever had them is gone. */
  async takeSockets(): Promise<void> {
    this.#hasSockets = true;
    (await this.#prepareLmtp(this.#serves))?.keep();
  }

  /** Listens for all protocols, or changes nothing. */
  async #listen(serves: Serves, beginning: Beginning = {}): Promise<void> {
    const lmtp = await this.#prepareLmtp(serves);
    try {
      await this.#listenForPop3(serves, beginning);
    } catch (error) {
      await lmtp?.undo();
      throw error;
    }
    lmtp?.keep();
  }

  /** Undefined where there is none, and was none. */
  async #prepareLmtp({ settings, logins }: Serves): Promise<LmtpChange | undefined> {
    if (settings.lmtpBindings.length === 0 && this.#lmtp === undefined) return undefined;
    const { LmtpPart } = await import("./lmtp/lmtp_part.ts");
    this.#lmtp ??= new LmtpPart({ sharedPorts: this.#inCommon !== undefined });
    return await this.#lmtp.prepare(settings, logins.directories, { hasSockets: this.#hasSockets });
  }

  #listenForPop3({ settings, store }: Serves, beginning: Beginning): Promise<void> {
    const shared: SharedServices = {
      banner: settings.banner,
      implementation: `popkeep-${VERSION}`,
      loginType: settings.loginType,
      eightBitHeaders: settings.eightBitHeaders,
      ntlmFirstReply: settings.ntlmFirstReply,
      store,
      admitUser: this.#limits.admitUser,
      maxBadCommands: settings.maxBadCommands,
      maxFailedLogins: settings.maxFailedLogins,
      expires: (account) => this.#serves.expiry.announced(account),
      logins: () => this.#serves.logins,
    };
    const serving: Serving = {
      servicesFor: (address) => new ClientServices(shared, address),
      maxCommandOctets: settings.maxCommandSizeOctets,
      preAuthenticatedIdleMs: settings.preAuthenticatedConnectionTimeoutMs,
      authenticatedIdleMs: settings.authenticatedConnectionTimeoutMs,
      tlsHandshakeMs: settings.tlsHandshakeTimeoutMs,
      isProxy: addressesIn(settings.proxyAddresses),
      tls: tlsAcceptorFor(settings, beginning.certificates),
      protocolLog: settings.protocolLog ? this.#protocolLog : undefined,
    };
    return this.#server.serve(bindingsOf(settings), serving, beginning.placesHad);
  }
}

async function servesBy(
  settings: Settings,
  parts: Parts,
  openMailboxes: OpenMailboxes,
  remembered: Remembered | undefined,
): Promise<Serves> {
  const mail = maildirOptions(settings);
  const { quotaIgnoredFolders } = settings;
  const logins = await loginParts(settings, parts, remembered);
  return {
    settings,
    logins,
    expiry: new ExpiryOfUsers(settings, logins.directories),
    store: await parts.take("store", { ...mail, quotaIgnoredFolders }, () =>
      new MaildirStore({
        ...mail,
        ignoredFolders: (account) => ignoredFolders({ quotaIgnoredFolders }, account),
      }, openMailboxes)),
  };
}

function maildirOptions(settings: Settings): MaildirStoreOptions {
  return {
    maildir: settings.maildir,
    exactSizes: settings.enableExactRfc822Size,
    sortOrder: settings.messageRetrievalSortOrder,
    markRetrievedAsSeen: settings.markRetrievedAsSeen,
    keepsDeleted: settings.deletedItemRetentionMs > 0,
    cacheOctets: settings.mailboxCacheOctets,
    timeoutMs: settings.storageTimeoutMs,
  };
}

function maximaOf(settings: Settings): ConnectionMaxima {
  return {
    maxConnections: settings.maxConnections,
    maxConnectionsPerAddress: settings.maxConnectionsFromSingleAddress,
    maxConnectionsPerUser: settings.maxConnectionsPerUser,
  };
}
