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
import { MaildirStore, type MaildirStoreOptions } from "../maildir/maildir_store.ts";
import { ConnectionLimits, type ConnectionMaxima } from "../net/connection_limits.ts";
import type { PlaceCounts } from "../net/place_counts.ts";
import { Pop3Server } from "../net/server.ts";
import type { Serving } from "../net/serving.ts";
import type { Settings } from "../settings.ts";
import type { Beginning } from "./beginning.ts";
import { ClientServices, type SharedServices } from "./client_services.ts";
import { guessingOptions } from "./guessing_options.ts";
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
}

/** What the sessions that begin now are served with. */
interface Serves {
  readonly settings: Settings;
  readonly logins: LoginParts;
  readonly store: MaildirStore;
}

export class Service {
  readonly #limits: ConnectionLimits;
  readonly #server: Pop3Server;
  #parts: Parts;
  #serves: Serves;
  readonly #protocolLog: ProtocolLog;
  readonly #inCommon: InCommon | undefined;

  private constructor(parts: Parts, serves: Serves, inCommon: InCommon | undefined) {
    const { settings } = serves;
    this.#parts = parts;
    this.#serves = serves;
    this.#inCommon = inCommon;
    this.#protocolLog = new ProtocolLog(protocolLogOptions(settings), inCommon?.openProtocolLog);
    this.#limits = new ConnectionLimits(maximaOf(settings), inCommon?.places);
    this.#server = new Pop3Server(this.#limits, { sharedPorts: inCommon !== undefined });
  }

  /**
   * Opens everything and listens.
   *
   * @param beginning `placesHad` may throw what it likes, which is then thrown.
   * @param inCommon Without, it serves alone.
   * @throws {ListenFailure} If a binding cannot be had.
   * @throws {SettingFault} If a file that the settings name cannot be used.
   */
  static async start(
    settings: Settings,
    beginning: Beginning = {},
    inCommon?: InCommon,
  ): Promise<Service> {
    const parts = new Parts();
    try {
      const serves = await servesBy(settings, parts, inCommon?.remembered);
      const service = new Service(parts, serves, inCommon);
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
      serves = await servesBy(settings, parts, this.#inCommon?.remembered);
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
    await this.#server.stop(this.#serves.settings.shutdownGracePeriodMs);
    await this.#parts.closeAllBut();
    await this.#protocolLog.close();
  }

  /** Cuts short the time that `stop` is giving. */
  hasten(): void {
    this.#server.hasten();
  }

  #listen({ settings, store }: Serves, beginning: Beginning = {}): Promise<void> {
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
  remembered: Remembered | undefined,
): Promise<Serves> {
  const mail = maildirOptions(settings);
  return {
    settings,
    logins: await loginParts(settings, parts, remembered),
    store: await parts.take("store", mail, () => new MaildirStore(mail)),
  };
}

function maildirOptions(settings: Settings): MaildirStoreOptions {
  return {
    maildir: settings.maildir,
    exactSizes: settings.enableExactRfc822Size,
    sortOrder: settings.messageRetrievalSortOrder,
    markRetrievedAsSeen: settings.markRetrievedAsSeen,
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
