/**
 * Why a command could not do its work, with the exit code that says so.
 *
 * *Knows*: exit codes, system error codes, what folders are not there. *Does not know*: how it is shown.
 */

import { type FolderFault, NoSuchFolder } from "../maildir/mail_folder.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { ExitCode } from "./exit_codes.ts";
import { printable } from "./printable.ts";

/** Ends a command. Each message is shown on a line of its own after "popkeep: ". */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;
  readonly messages: readonly string[];

  constructor(exitCode: ExitCode, messages: string | readonly string[], options?: ErrorOptions) {
    const lines = typeof messages === "string" ? [messages] : messages;
    super(lines.join("\n"), options);
    this.exitCode = exitCode;
    this.messages = lines;
  }
}

/** What a thrown value means to the user of the command line. */
export function failureFrom(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof NoSuchFolder) {
    const code = error.fault === "missing" ? ExitCode.noInput : ExitCode.badData;
    return new Failure(code, noFolderText(error), { cause: error });
  }
  if (error instanceof StorageFailure) {
    const code = error.kind === "SYS/TEMP" ? ExitCode.temporary : ExitCode.inputOutput;
    return new Failure(code, message, { cause: error });
  }
  const { code, path } = (error ?? {}) as { code?: unknown; path?: unknown };
  const known = typeof code === "string" ? systemErrors[code] : undefined;
  if (known !== undefined) {
    const text = typeof path === "string" ? `${path}: ${known.text}` : message;
    return new Failure(known.exitCode, text, { cause: error });
  }
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) {
    return new Failure(ExitCode.inputOutput, message, { cause: error });
  }
  const where = error instanceof Error && error.stack !== undefined ? error.stack : message;
  return new Failure(ExitCode.software, `this should not have happened: ${where}`, {
    cause: error,
  });
}

/** For who has named the folder; others learn no names. */
export function noFolderText({ fault, folder }: NoSuchFolder): string {
  return `${NO_FOLDER[fault]}: ${printable(folder)}`;
}

const NO_FOLDER: Readonly<Record<FolderFault, string>> = {
  "no name": "no folder of mail can have this name",
  missing: "there is no folder of this name",
  several: "several folders differ from this name in letter case alone",
};

const systemErrors: Readonly<Record<string, { exitCode: ExitCode; text: string }>> = {
  ENOENT: { exitCode: ExitCode.noInput, text: "there is no such file or folder" },
  ENOTDIR: { exitCode: ExitCode.noInput, text: "a part of this path is no folder" },
  EISDIR: { exitCode: ExitCode.noInput, text: "this is a folder" },
  EACCES: { exitCode: ExitCode.noPermission, text: "permission denied" },
  EPERM: { exitCode: ExitCode.noPermission, text: "not permitted" },
  EROFS: { exitCode: ExitCode.cannotCreate, text: "the file system is read-only" },
  EEXIST: { exitCode: ExitCode.cannotCreate, text: "it exists already" },
  ENOSPC: { exitCode: ExitCode.inputOutput, text: "the disk is full" },
  EDQUOT: { exitCode: ExitCode.inputOutput, text: "the disk quota is used up" },
};
