/**
 * A running popkeep: the rooms put together as the settings say, and put together anew when they
 * change.
 *
 * A reload prepares everything that can fail first and then changes over, so that bad settings change
 * nothing. What did not change is kept, for what it remembers: right passwords, mailboxes in memory.
 *
 * *Knows*: all rooms. *Does not know*: signals, the command line.
 */

import { isDeepStrictEqual } from "node:util";
import { readFileSync } from "node:fs";
import { configureLog } from "../admin/log.ts";
import { ProtocolLog, type ProtocolLogOptions } from "../admin/protocol_log.ts";
import { Authenticator } from "../auth/authenticator.ts";
import { HashPool } from "../auth/hash_pool.ts";
import { openPasswdFile, type PasswdFile } from "../auth/passwd_file.ts";
import { MaildirStore, type MaildirStoreOptions } from "../maildir/maildir_store.ts";
import { ConnectionLimits, type ConnectionMaxima } from "../net/connection_limits.ts";
import type { Binding } from "../net/listener.ts";
import { Pop3Server } from "../net/server.ts";
import type { Serving } from "../net/serving.ts";
import { TlsAcceptor } from "../net/tls_acceptor.ts";
import type { Settings } from "../settings.ts";
import { ClientServices, type SharedServices } from "./client_services.ts";
import { VERSION } from "./version.ts";

/** Parts that outlive a reload which does not concern them. */
interface Parts {
  readonly directory: PasswdFile;
  readonly hashPool: HashPool;
  readonly authenticator: Authenticator;
  readonly store: MaildirStore;
}

export class Service {
  readonly #limits: ConnectionLimits;
  readonly #server: Pop3Server;
  #settings: Settings;
  #parts: Parts;
  readonly #protocolLog: ProtocolLog;

  private constructor(settings: Settings, parts: Parts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#protocolLog = new ProtocolLog(protocolLogOptions(settings));
    this.#limits = new ConnectionLimits(maximaOf(settings));
    this.#server = new Pop3Server(this.#limits);
  }

  /**
   * Opens everything and listens.
   *
   * @throws {ListenFailure} If a binding cannot be had.
   * @throws {Error} If a file that the settings name cannot be used.
   */
  static async start(settings: Settings): Promise<Service> {
    const parts = await makeParts(settings);
    const service = new Service(settings, parts);
    try {
      await service.#listen(settings, parts);
    } catch (error) {
      await parts.hashPool.close();
      throw error;
    }
    return service;
  }

  /**
   * Goes on with other settings, and reads users and certificates again. Connections go on.
   *
   * @throws {Error} As `start` does; then everything is as before.
   */
  async reload(settings: Settings): Promise<void> {
    const before = this.#parts;
    const parts = await makeParts(settings, { settings: this.#settings, parts: before });
    try {
      await this.#listen(settings, parts);
    } catch (error) {
      if (parts.hashPool !== before.hashPool) await parts.hashPool.close();
      throw error;
    }
    this.#parts = parts;
    this.#settings = settings;
    this.#limits.maxima = maximaOf(settings);
    configureLog(settings);
    this.#protocolLog.change(protocolLogOptions(settings));
    // The log says so if it cannot be read; the users stay as they were.
    if (parts.directory === before.directory) await parts.directory.reload();
    if (parts.hashPool !== before.hashPool) await before.hashPool.close();
  }

  /** Stops; sessions get the settings' time to QUIT. */
  async stop(): Promise<void> {
    await this.#server.stop(this.#settings.shutdownGracePeriodMs);
    await this.#parts.hashPool.close();
    await this.#protocolLog.close();
  }

  /** Cuts short the time that `stop` is giving. */
  hasten(): void {
    this.#server.hasten();
  }

  #listen(settings: Settings, { store }: Parts): Promise<void> {
    const shared: SharedServices = {
      banner: settings.banner,
      implementation: `popkeep-${VERSION}`,
      loginType: settings.loginType,
      eightBitHeaders: settings.eightBitHeaders,
      store,
      admitUser: this.#limits.admitUser,
      maxBadCommands: settings.maxBadCommands,
      maxFailedLogins: settings.maxFailedLogins,
      authenticator: () => this.#parts.authenticator,
    };
    const serving: Serving = {
      servicesFor: (address) => new ClientServices(shared, address),
      maxCommandOctets: settings.maxCommandSizeOctets,
      preAuthenticatedIdleMs: settings.preAuthenticatedConnectionTimeoutMs,
      authenticatedIdleMs: settings.authenticatedConnectionTimeoutMs,
      tlsHandshakeMs: settings.tlsHandshakeTimeoutMs,
      tls: tlsAcceptorFor(settings),
      protocolLog: settings.protocolLog ? this.#protocolLog : undefined,
    };
    return this.#server.serve(bindingsOf(settings), serving);
  }
}

/** Makes the parts, and takes those over from `before` that the settings do not change. */
async function makeParts(
  settings: Settings,
  before?: { readonly settings: Settings; readonly parts: Parts },
): Promise<Parts> {
  const old = before?.settings;
  const parts = before?.parts;
  const directory = parts !== undefined && old?.userFile === settings.userFile
    ? parts.directory
    : await openPasswdFile(settings.userFile);
  const hashPool = parts !== undefined && old?.passwordWorkers === settings.passwordWorkers
    ? parts.hashPool
    : new HashPool({ workers: settings.passwordWorkers });
  const { passwordMemoryMs } = settings;
  const authenticator = parts !== undefined && old?.passwordMemoryMs === passwordMemoryMs &&
      parts.directory === directory && parts.hashPool === hashPool
    ? parts.authenticator
    : new Authenticator({ directory, hashPool, passwordMemoryMs });
  const mail = maildirOptions(settings);
  const store = parts !== undefined && old !== undefined &&
      isDeepStrictEqual(maildirOptions(old), mail)
    ? parts.store
    : new MaildirStore(mail);
  return { directory, hashPool, authenticator, store };
}

function maildirOptions(settings: Settings): MaildirStoreOptions {
  return {
    maildir: settings.maildir,
    exactSizes: settings.enableExactRfc822Size,
    sortOrder: settings.messageRetrievalSortOrder,
    markRetrievedAsSeen: settings.markRetrievedAsSeen,
  };
}

function maximaOf(settings: Settings): ConnectionMaxima {
  return {
    maxConnections: settings.maxConnections,
    maxConnectionsPerAddress: settings.maxConnectionsFromSingleAddress,
    maxConnectionsPerUser: settings.maxConnectionsPerUser,
  };
}

function bindingsOf(settings: Settings): Binding[] {
  return [
    ...settings.unencryptedOrTlsBindings.map((binding): Binding => ({
      ...binding,
      security: "plain",
    })),
    ...settings.sslBindings.map((binding): Binding => ({ ...binding, security: "implicit-tls" })),
  ];
}

function protocolLogOptions(settings: Settings): ProtocolLogOptions | undefined {
  if (!settings.protocolLog) return undefined;
  return {
    folder: settings.logFileLocation,
    period: settings.logFileRollOverSettings,
    quotaOctets: settings.logPerFileSizeQuotaOctets,
  };
}

function tlsAcceptorFor({ certificates }: Settings): TlsAcceptor | undefined {
  if (certificates.length === 0) return undefined;
  return new TlsAcceptor(certificates.map(({ certificateFile, keyFile }) => ({
    certificate: readFileSync(certificateFile, "utf8"),
    key: readFileSync(keyFile, "utf8"),
  })));
}
