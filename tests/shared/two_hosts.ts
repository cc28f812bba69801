/**
 * Two hosts that serve the same mail from one shared filesystem, and what is seen of it.
 *
 * *Knows* the hosts, the filesystem and popkeep on each. *Does not know* what is tried.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Host, type HostedProcess, HostNetwork } from "../support/host_network.ts";
import { type MountOptions, SharedFilesystem } from "../support/shared_filesystem.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { HostedPopkeep } from "./hosted_popkeep.ts";

export interface TwoHostsOptions {
  readonly users: readonly string[];
  /** Further settings of popkeep; FRONT in them is the address of the host `front`. */
  readonly settings?: string;
  /** What each host's client of the filesystem remembers, and how far its clock is ahead. */
  readonly mounts?: readonly [MountOptions, MountOptions];
}

/** One of the hosts that serve mail. */
export interface MailHost {
  readonly host: Host;
  /** The filesystem's client there: stopped, the mail on this host hangs. */
  readonly mount: HostedProcess;
  readonly popkeep: HostedPopkeep;
}

export class TwoHosts {
  readonly network: HostNetwork;
  readonly folder: string;
  readonly shared: SharedFilesystem;
  /** A host without mail. */
  readonly front: Host;
  readonly #options: TwoHostsOptions;
  #hosts: MailHost[] = [];

  private constructor(
    { network, folder, shared, front }: Pick<TwoHosts, "network" | "folder" | "shared" | "front">,
    options: TwoHostsOptions,
  ) {
    this.network = network;
    this.folder = folder;
    this.shared = shared;
    this.front = front;
    this.#options = options;
  }

  static async start(options: TwoHostsOptions): Promise<TwoHosts> {
    const folder = mkdtempSync(join(tmpdir(), "popkeep-hosts-"));
    const network = await HostNetwork.make();
    try {
      const shared = await SharedFilesystem.start(await network.addHost(), folder);
      const front = await network.addHost();
      const both = new TwoHosts({ network, folder, shared, front }, options);
      for (const mount of options.mounts ?? [{}, {}]) await both.addMailHost(mount);
      return both;
    } catch (error) {
      await network.remove();
      throw error;
    }
  }

  get one(): MailHost {
    return this.#hosts[0]!;
  }

  get other(): MailHost {
    return this.#hosts[1]!;
  }

  /** Switches a host on that serves the mail. */
  async addMailHost(mountOptions: MountOptions = {}): Promise<MailHost> {
    const host = await this.network.addHost();
    const mount = await this.shared.mountOn(host, mountOptions);
    const popkeep = await this.startPopkeep(host, mountOptions);
    const added = { host, mount, popkeep };
    this.#hosts.push(added);
    return added;
  }

  /** Counts a host no more that was switched off. */
  forget(gone: MailHost): void {
    this.#hosts = this.#hosts.filter((host) => host !== gone);
  }

  /** Starts popkeep on a host that has the mail mounted, at first or again. */
  startPopkeep(host: Host, { clockAheadS = 0 }: MountOptions = {}): Promise<HostedPopkeep> {
    const { users } = this.#options;
    const settings = (this.#options.settings ?? "").replaceAll("FRONT", this.front.address);
    const folder = join(this.folder, host.address);
    return HostedPopkeep.start({
      host,
      folder,
      mail: this.shared.path,
      users,
      settings,
      clockAheadS,
    });
  }

  /** A user's mail as one of the hosts sees it: what is delivered there goes by that host's client. */
  maildir({ host }: Pick<MailHost, "host">, user: string): TestMaildir {
    return new TestMaildir(`${host.path(this.shared.path)}/${user}/Maildir`);
  }

  /** Fills a mailbox that nobody has looked at, past all clients, which would take long. */
  fill(user: string, messages: number): void {
    const maildir = new TestMaildir(this.stored(user));
    for (let n = 1; n <= messages; n++) {
      writeFileSync(
        `${maildir.path}/new/${maildir.nextUniqueName()}`,
        `Subject: ${user} ${n}\n\n${n}\n`,
      );
    }
    // What came so, the store gives its own marks to when a client first asks.
    this.one.host.run("ls", "-lR", `${this.shared.path}/${user}`);
  }

  /** What is in the store, seen past all clients. */
  stored(user: string): string {
    return `${this.shared.behind}/${user}/Maildir`;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await this.network.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A user's mail as a login at one of the hosts shows it: unique-ids, in order of message numbers. */
export async function idsAt({ popkeep }: MailHost, user: string): Promise<string[]> {
  const client = await popkeep.login(user);
  const ids = (await client.listing("UIDL")).map((line) => line.split(" ")[1]!);
  await client.quit();
  return ids;
}
