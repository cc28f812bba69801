/**
 * `popkeep import-uids --from live`: unique-ids as an old server that still runs shows them over POP3, one user
 * after the other. A password never stands on the command line, where other users of the machine see it.
 *
 * *Knows*: options, passwords' sources. *Does not know*: POP3, pairing.
 */

import { Buffer } from "node:buffer";
import {
  OldServer,
  type OldServerOptions,
  type OldServerTls,
} from "../net/old_server/old_server.ts";
import type { OldMaildrop } from "../moving/old_maildrop.ts";
import { pairedIds } from "../moving/pairing.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import type { OldSource } from "./import_source.ts";
import { readOptionFile } from "./option_file.ts";
import { knownPassword } from "./password.ts";
import { printable } from "./printable.ts";

/** What commander hands over. */
export interface LiveOptions {
  readonly all?: boolean;
  readonly host?: string;
  readonly port?: string;
  readonly tls?: string;
  readonly caFile?: string;
  readonly login?: string;
  readonly masterUser?: string;
  readonly masterSeparator?: string;
  readonly passwordFile?: string;
  readonly passwordStdin?: boolean;
  readonly retr?: boolean;
}

/** Those that are for this source alone. */
export const LIVE_OPTIONS = [
  "host",
  "port",
  "tls",
  "caFile",
  "login",
  "masterUser",
  "masterSeparator",
  "passwordFile",
  "passwordStdin",
  "retr",
] as const;

/** Dovecot's auth_master_user_separator as it is usually set, and Courier's. */
const MASTER_SEPARATOR = "*";

/** @throws {Failure} If something is missing, or there is no password. */
export function liveSource(options: LiveOptions): OldSource {
  const { host, login, masterUser, masterSeparator = MASTER_SEPARATOR } = options;
  if (host === undefined) throw new Failure(ExitCode.usage, "--from live needs --host");
  if (options.all === true && masterUser === undefined) {
    throw new Failure(
      ExitCode.usage,
      "--all --from live needs --master-user, one who may log in for everybody; " +
        "without one, import users one by one",
    );
  }
  if (options.all === true && login !== undefined) {
    throw new Failure(ExitCode.usage, "--login is one user's name, and --all means all");
  }
  const tls = (options.tls ?? "implicit") as OldServerTls;
  const address = {
    host,
    port: portOf(options.port, tls),
    tls,
    mayRetrieve: options.retr === true,
    ...(options.caFile === undefined
      ? {}
      : { certificates: readOptionFile("--ca-file", options.caFile) }),
  };
  let password = options.passwordFile === undefined ? undefined : passwordIn(options.passwordFile);
  return {
    idsOf: async ({ account }, present, progress) => {
      const name = login ?? account.user;
      const asWhom = masterUser === undefined ? name : `${name}${masterSeparator}${masterUser}`;
      password ??= await knownPassword(
        `${printable(masterUser ?? name)} at the old server`,
        options,
      );
      const session = await OldServer.open(
        { ...address, user: asWhom, password } as OldServerOptions,
      );
      try {
        return await pairedIds(present, await maildropOf(session), progress);
      } finally {
        session.end();
      }
    },
  };
}

async function maildropOf(session: OldServer): Promise<OldMaildrop> {
  const messages = await session.messages();
  return { messages, remarks: [], headers: () => session.headers(messages) };
}

function portOf(port: string | undefined, tls: OldServerTls): number {
  if (port === undefined) return tls === "implicit" ? 995 : 110;
  const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new Failure(ExitCode.usage, `--port: ${printable(port)} is no port`);
}

function passwordIn(file: string): Buffer {
  const [line = ""] = readOptionFile("--password-file", file).split(/\r?\n/);
  if (line === "") throw new Failure(ExitCode.badData, "--password-file: its first line is empty");
  return Buffer.from(line, "utf8");
}
