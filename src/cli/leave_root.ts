/**
 * What `popkeep serve` does where root starts it: as the setting `user` says, it reads the certificates and
 * becomes that user, or stays root because it is told to. It never stays root untold, nor in part.
 *
 * Nothing is made before it is the user's, but the folders that it writes in, where only root can.
 *
 * *Knows*: settings, exit codes. *Does not know*: how rights are given up.
 */

import { chownSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import type { CertificatePair } from "../net/certificates.ts";
import { partOfRoot } from "../platform/part_of_root.ts";
import {
  becomeUser,
  type Identity,
  isRoot,
  limitPrivileges,
  PrivilegeFault,
} from "../platform/privileges.ts";
import { findSystemGroup, findSystemUser } from "../platform/system_users.ts";
import { faultText, fileFaults, type Settings, type Warning } from "../settings.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { bindingsOf, lmtpAddressesOf } from "./server_options.ts";
import { SettingFault } from "./setting_fault.ts";
import { certificatePairs } from "./tls_part.ts";

const log = getLogger(["popkeep", "cli"]);

export interface LeftRoot {
  /** Read while everything may be read. */
  readonly certificates: readonly CertificatePair[];
  /**
   * To be called when all places to listen on are had, and before anybody is served.
   *
   * @param isSupervisor Whether workers have to listen there too, now and when one is started again.
   * @throws {Failure} If anything of root's would be left.
   */
  readonly giveUp: (isSupervisor: boolean) => void;
}

const HOW_TO_SAY =
  "name the user who owns the mail in the setting user, or start popkeep as that user; " +
  'user = "root" has it serve as root';

/**
 * Becomes the user that the settings name; undefined where there is nothing to leave. May begin the program
 * anew, once, and so is to be called before anything else is.
 *
 * @throws {Failure} If popkeep would serve as root untold, or cannot become that user.
 */
export function leaveRoot(settings: Settings): LeftRoot | undefined {
  const identity = identityOf(settings);
  if (!isRoot()) {
    mustBe(identity, settings);
    mustHaveNothingOfRoots(settings);
    return undefined;
  }
  if (settings.user === "") {
    throw new Failure(
      ExitCode.noPermission,
      `popkeep does not serve as root unless it is told to: ${HOW_TO_SAY}`,
    );
  }
  if (identity === undefined) return undefined;
  return orFailure(settings.user, () => {
    limitPrivileges();
    const certificates = certificatePairs(settings);
    makeFolders(settings, identity);
    const left = becomeUser(identity);
    mustReadLoginFiles(settings);
    return {
      certificates,
      giveUp: (isSupervisor) => {
        const keepLowPorts = isSupervisor && hasLowPort(settings);
        orFailure(settings.user, () => left.giveUp({ keepLowPorts }));
        const { userId, groupId } = identity;
        log.info("root is left behind", { user: settings.user, userId, groupId, keepLowPorts });
      },
    };
  });
}

/** A root who looks with the eyes of the user that the settings name. */
export interface UsersEyes {
  readonly user: string;
  /** Read before, as the server does. */
  readonly certificates: readonly CertificatePair[];
}

/**
 * Becomes the user as `leaveRoot` would, to see what the server would see, and makes nothing. Undefined where
 * there is nobody to become. The process could become root again: it is to serve nobody.
 *
 * @throws {Failure} If it cannot become that user, or the user may not read what logins need.
 */
export function lookAsUser(settings: Settings): UsersEyes | undefined {
  if (!isRoot()) return undefined;
  const identity = identityOf(settings);
  if (identity === undefined) return undefined;
  const { user } = settings;
  const certificates = certificatePairs(settings);
  orFailure(user, () => becomeUser(identity));
  mustReadLoginFiles(settings);
  return { user, certificates };
}

/**
 * Becomes the user that the settings name, for a command of root's that changes mail: what it makes is then the
 * owner's, and nothing that a user has planted in a mailbox leads it astray.
 *
 * @throws {Failure} If root is not told whom to become, or cannot, or the user may not read what logins need.
 */
export function becomeMailUser(settings: Settings): void {
  if (!isRoot()) return;
  const { user } = settings;
  if (user === "") {
    throw new Failure(
      ExitCode.noPermission,
      "what root changes in a mailbox would be root's: run this as the user who owns the mail, or name that " +
        'user in the setting user; user = "root" has root do it',
    );
  }
  const identity = identityOf(settings);
  if (identity === undefined) return;
  orFailure(user, () => becomeUser(identity));
  mustReadLoginFiles(settings);
}

/** Whom to become; undefined for nobody else, or root. @throws {Failure} If there is no such user. */
function identityOf({ user, group }: Settings): Identity | undefined {
  if (user === "") return undefined;
  const found = findSystemUser(user);
  if (found === undefined) throw new SettingFault("user", `this system has no user ${user}`);
  if (found.userId === 0) return undefined;
  const groupId = group === "" ? found.groupId : findSystemGroup(group);
  if (groupId === undefined) {
    throw group === ""
      ? new SettingFault("user", `the system has no name for the user ${user}; say group too`)
      : new SettingFault("group", `this system has no group ${group}`);
  }
  return { userId: found.userId, groupId, userName: found.name };
}

/** To be called as the user. @throws {Failure} With every file that root may read and the user may not. */
function mustReadLoginFiles(settings: Settings): void {
  const faults = fileFaults(settings, "login files");
  if (faults.length === 0) return;
  throw new Failure(ExitCode.badSettings, [
    ...faults.map(faultText),
    `this user is ${settings.user}, as the setting user says: give the files to that user, as by ` +
    `\`chown ${settings.user} FILE\`, and let the user enter the folders that they are in`,
  ]);
}

/** Who is not root can be nobody else. @throws {Failure} If the settings name another user. */
function mustBe(identity: Identity | undefined, { user }: Settings): void {
  const userId = process.geteuid?.();
  if (identity === undefined || identity.userId === userId) return;
  throw new Failure(
    ExitCode.noPermission,
    `the setting user is ${user}, and this is the user ${userId}: only root can become another one`,
  );
}

/** @throws {Failure} If the process could become root again, or has capabilities of root's, untold. */
function mustHaveNothingOfRoots({ user }: Settings): void {
  // Told to be root, it may be so in part, too.
  if (user !== "" && findSystemUser(user)?.userId === 0) return;
  const [first, ...more] = partOfRoot().rights;
  if (first === undefined) return;
  throw new Failure(
    ExitCode.noPermission,
    `popkeep does not serve with rights of root's unless it is told to, and ${
      [first, ...more].join(", ")
    }: ` +
      "start it as root, or as a user who has none of them; " +
      'user = "root" has it serve with all that it has',
  );
}

/** Where the process is in root's group, as in containers without a group of their own, and untold. */
export function rootsGroupWarnings({ user, group }: Settings): Warning[] {
  const isTold = group !== "" || (user !== "" && findSystemUser(user)?.userId === 0);
  if (isRoot() || isTold || !partOfRoot().isInRootsGroup) return [];
  const message = "popkeep is in root's group (0) and may read and change what that group may; " +
    "start it with another one";
  return [{ key: "group", message }];
}

/**
 * Makes folders that popkeep writes in, where they are missing and only root can: as a service manager
 * would. Where others could put something in their place meanwhile, nothing is made.
 */
function makeFolders(settings: Settings, { userId, groupId }: Identity): void {
  const { stateFolder, protocolLog, logFileLocation } = settings;
  const folders: [path: string, mode: number][] = [[stateFolder, 0o700]];
  if (protocolLog) folders.push([logFileLocation, 0o750]);
  for (const [folder, mode] of folders) {
    try {
      const above = statSync(dirname(folder));
      if (above.uid !== 0 || (above.mode & 0o022) !== 0) continue;
      mkdirSync(folder, { mode });
      chownSync(folder, userId, groupId);
    } catch {
      // It is there, or cannot be made: a warning of the settings says so where it matters.
    }
  }
}

/** Ports below this are for who may do more (ip(7)). */
function hasLowPort(settings: Settings): boolean {
  let firstForAll = 1_024;
  try {
    firstForAll = Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "latin1"));
  } catch {
    // Before Linux 4.11 it could not be changed.
  }
  const bindings = [...bindingsOf(settings), ...lmtpAddressesOf(settings)];
  return bindings.some(({ port }) => port !== 0 && port < firstForAll);
}

function orFailure<Value>(user: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PrivilegeFault)) throw error;
    const reason = `popkeep cannot become the user ${user}: ${error.message}`;
    throw new Failure(ExitCode.noPermission, reason, { cause: error });
  }
}
