/** Where a command takes a password from: the keyboard, hidden, or one line of standard input. */

import { Buffer } from "node:buffer";
import process from "node:process";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { hasKeyboard, Keyboard } from "./keyboard.ts";

/** What commander hands over for commands that take a password. */
export interface PasswordOptions {
  readonly passwordStdin?: boolean;
}

/** How the option is called and what the help says of it. */
export const PASSWORD_STDIN = [
  "--password-stdin",
  "read the password from standard input",
] as const;

/** Most that is read of standard input, octets: beyond any password, so that a wrong file is refused. */
const STDIN_OCTETS = 65_536;

/**
 * A new password: asked twice at the keyboard, or read from standard input.
 *
 * @throws {Failure} If the two differ, it is empty, or there is nobody to ask.
 */
export function newPassword(user: string, options: PasswordOptions): Promise<Buffer> {
  if (options.passwordStdin) return passwordFromStdin();
  return withKeyboard(async (keyboard) => {
    const password = await keyboard.ask(`New password for ${user}: `, { hidden: true });
    if (password.length === 0) throw new Failure(ExitCode.badData, "the password is empty");
    const again = await keyboard.ask("Again: ", { hidden: true });
    if (!password.equals(again)) {
      throw new Failure(ExitCode.badData, "the two passwords differ; nothing was changed");
    }
    return password;
  });
}

/** A password that is there already: asked once. */
export function knownPassword(user: string, options: PasswordOptions): Promise<Buffer> {
  if (options.passwordStdin) return passwordFromStdin();
  return withKeyboard((keyboard) => keyboard.ask(`Password of ${user}: `, { hidden: true }));
}

/** Asks for a word, shown as it is typed. */
export function askShown(question: string): Promise<string> {
  return withKeyboard(async (keyboard) =>
    (await keyboard.ask(question, { hidden: false })).toString("utf8")
  );
}

async function withKeyboard<Value>(ask: (keyboard: Keyboard) => Promise<Value>): Promise<Value> {
  if (!hasKeyboard()) {
    throw new Failure(
      ExitCode.usage,
      "there is no terminal to ask at; give the password with --password-stdin",
    );
  }
  const keyboard = new Keyboard();
  try {
    return await ask(keyboard);
  } finally {
    keyboard.close();
  }
}

async function passwordFromStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk));
    octets += chunk.length;
    if (octets > STDIN_OCTETS) break;
  }
  const password = withoutLineEnd(Buffer.concat(chunks));
  if (password.length === 0) {
    throw new Failure(ExitCode.badData, "there is no password on standard input");
  }
  if (password.includes("\n") || password.includes("\r")) {
    throw new Failure(
      ExitCode.badData,
      "standard input has more than one line, a password has one",
    );
  }
  return password;
}

function withoutLineEnd(text: Buffer): Buffer {
  const end = text.at(-1) === 0x0a ? text.at(-2) === 0x0d ? 2 : 1 : 0;
  return text.subarray(0, text.length - end);
}
