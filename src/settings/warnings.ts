/**
 * What the settings may say and had better not: each as a warning, none of which keeps popkeep from
 * starting.
 *
 * *Knows*: the settings as a whole, the disk with this process's rights. *Does not know*: users.
 */

import { accessSync, constants, statSync } from "node:fs";
import { availableParallelism, hostname, totalmem } from "node:os";
import { dirname } from "node:path";
import { AUTOLOGOUT_FLOOR_MS, CAPA_COMMAND_OCTETS_FLOOR } from "../limits.ts";
import { formatBinding, isLoopback } from "./binding.ts";
import { certificateEndsMs, isCertificateFor } from "./certificate_files.ts";
import type { Settings } from "./effective.ts";
import { fileWarnings } from "./file_warnings.ts";
import { lmtpWarnings } from "./lmtp_warnings.ts";
import { loginWarnings } from "./login_warnings.ts";
import { fixedFolderOf } from "./maildir_folder.ts";
import { formatDuration, formatSize } from "./units.ts";
import type { Warning } from "./warning.ts";

/** How long before its end a certificate is warned about: one that renews itself is renewed by then. */
const CERTIFICATE_NOTICE_MS = 14 * 86_400_000;

/** What is allowed and unwise; looks at the files and folders that the settings name. */
export function settingsWarnings(settings: Settings, nowMs: number = Date.now()): Warning[] {
  const warnings: Warning[] = [];
  const warn = (key: string, message: string) => warnings.push({ key, message });
  if (settings.maxCommandSizeOctets < CAPA_COMMAND_OCTETS_FLOOR) {
    warn(
      "max_command_size",
      `${settings.maxCommandSizeOctets} octets are fewer than the ${CAPA_COMMAND_OCTETS_FLOOR} ` +
        "that RFC 2449 asks of a server with CAPA; some clients will not be able to log in",
    );
  }
  if (settings.authenticatedConnectionTimeoutMs < AUTOLOGOUT_FLOOR_MS) {
    const timeout = formatDuration(settings.authenticatedConnectionTimeoutMs);
    warn(
      "authenticated_connection_timeout",
      `${timeout} is less than the 10m that RFC 1939 asks for; clients that take longer over a ` +
        "message lose their session",
    );
  }
  for (const network of settings.proxyAddresses) {
    if (!network.endsWith("/0")) continue;
    warn(
      "proxy_addresses",
      `${network} lets everybody say who they are, so that no limit or block by address holds`,
    );
  }
  warnings.push(...lmtpWarnings(settings));
  const { workers } = settings;
  const processors = availableParallelism();
  if (workers !== "auto" && workers > 1 && workers > processors) {
    warn("workers", `${workers} are more than the ${processors} processors, which gains nothing`);
  }
  const caches = settings.mailboxCacheOctets * (workers === "auto" ? processors : workers);
  if (caches > totalmem()) {
    warn(
      "mailbox_cache_size",
      `${formatSize(caches)} for all workers together is more than the machine's memory`,
    );
  }
  const open = settings.unencryptedOrTlsBindings.filter(({ address }) => !isLoopback(address));
  if (settings.loginType !== "secure_login" && open.length > 0) {
    warn(
      "login_type",
      `${settings.loginType} lets passwords cross the network readable on ` +
        open.map(formatBinding).join(", "),
    );
  }
  if (settings.loginType === "secure_login" && settings.certificates.length === 0) {
    warn(
      "certificates",
      "there is no certificate and login_type is secure_login, so nobody can log in",
    );
  }
  // A machine's own name, which is the default, need not be the one that clients use.
  const { serverName, certificates } = settings;
  if (
    certificates.length > 0 && serverName !== hostname() &&
    !certificates.some(({ certificateFile }) => isCertificateFor(certificateFile, serverName))
  ) {
    warn("server_name", `no certificate is for ${serverName}; clients will not trust that name`);
  }
  warnings.push(...fileWarnings(settings));
  for (const [index, { certificateFile }] of settings.certificates.entries()) {
    const endsMs = certificateEndsMs(certificateFile);
    if (endsMs !== undefined && endsMs - nowMs < CERTIFICATE_NOTICE_MS) {
      const day = new Date(endsMs).toISOString().slice(0, 10);
      const tense = endsMs < nowMs ? "ended" : "ends";
      warn(`certificates[${index}].certificate_file`, `${certificateFile} ${tense} on ${day}`);
    }
  }
  const mail = fixedFolderOf(settings.maildir);
  if (mail !== undefined) {
    const why = whyNoMail(mail);
    if (why !== undefined) warn("maildir", why);
  }
  if (!canBeWrittenIn(settings.stateFolder)) {
    warn(
      "state_folder",
      `files cannot be made in ${settings.stateFolder} by this user: failed logins are forgotten at ` +
        "each restart, and no use of an app password is written down",
    );
  }
  if (settings.protocolLog && !canBeWrittenIn(settings.logFileLocation)) {
    warn(
      "log_file_location",
      `files cannot be made in ${settings.logFileLocation} by this user, and protocol_log is on`,
    );
  }
  return [...warnings, ...loginWarnings(settings)];
}

/** Why no login could be let in whose mail is below the folder. */
function whyNoMail(folder: string): string | undefined {
  try {
    // The dot takes the right to go in, as mailboxes do.
    if (statSync(`${folder}/.`, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EACCES") {
      return `this user may not enter the folder ${folder}, so every login would be refused ` +
        "([SYS/PERM])";
    }
  }
  return `the folder ${folder} is not there, so every login would be refused for now ` +
    "([SYS/TEMP]): a missing disk must not look like empty mailboxes";
}

/** Whether the folder may be written, or made where it is not there yet. */
function canBeWrittenIn(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch (error) {
    const above = dirname(folder);
    const missing = (error as { code?: unknown }).code === "ENOENT";
    return missing && above !== folder && canBeWrittenIn(above);
  }
}
