/** `popkeep user test`: whether a user would be let in, and what they would find. */

import { isIP } from "node:net";
import { Command } from "commander";
import { Authenticator } from "../auth/authenticator.ts";
import { HashPool } from "../auth/hash_pool.ts";
import type { LoginOutcome } from "../auth/login.ts";
import { openPasswdFile } from "../auth/passwd_file.ts";
import { isHashFault, readStoredPassword } from "../auth/stored_password.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { type MaildropState, maildropState, refusalOf, storedOctetsOf } from "./maildrop_state.ts";
import { print } from "./output.ts";
import { knownPassword, PASSWORD_STDIN, type PasswordOptions } from "./password.ts";
import { printable } from "./printable.ts";
import { existingUser } from "./user_file.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

type Options = ConfigOptions & PasswordOptions & { readonly from: string };

export function userTestCommand(): Command {
  const command = new Command("test")
    .description("ask for a user's password, say whether it is right, and look at the mailbox")
    .argument("<user>", "the name to log in with")
    .addOption(configOption())
    .option(...PASSWORD_STDIN)
    .option("--from <address>", "log in as if from this address, for allow_nets", "127.0.0.1")
    .action(test);
  return withExample(command, "popkeep user test alice@example.com --from 192.0.2.7");
}

async function test(user: string, options: Options): Promise<void> {
  if (isIP(options.from) === 0) {
    throw new Failure(ExitCode.usage, `${printable(options.from)} is no IP address`);
  }
  const { userFile, maildir } = settingsOrFailure(options, { checkFiles: false });
  const directory = await openPasswdFile(userFile);
  const entry = await directory.lookUp(user);
  if (entry === undefined) {
    throw new Failure(ExitCode.noUser, `there is no user ${printable(user)} in ${userFile}`);
  }
  const name = printable((await existingUser(userFile, user)).user);
  const stored = readStoredPassword(entry.storedPassword);
  if (isHashFault(stored)) {
    throw new Failure(ExitCode.noPermission, `${name} cannot log in: ${stored.reason}`);
  }

  const password = await knownPassword(name, options);
  const hashPool = new HashPool({ workers: 1 });
  const authenticator = new Authenticator({
    directories: [directory],
    hashPool,
    passwordMemoryMs: 0,
  });
  const outcome = await authenticator.deskFor(options.from).checkPassword(user, password)
    .finally(() => hashPool.close());
  if (outcome.kind !== "granted") {
    const mayBeAddress = entry.allowedNetworks !== undefined &&
      !entry.allowedNetworks(options.from);
    throw refusal(name, outcome, mayBeAddress ? options.from : undefined);
  }

  const state = await maildropState(maildir, outcome.account);
  await print(`The password of ${name} is right.\n${describe(state)}\n`);
  if (state.kind === "unusable") throw new Failure(ExitCode.inputOutput, refusalOf(state));
  if (state.kind === "there" && state.troubles.length > 0) {
    throw new Failure(ExitCode.inputOutput, state.troubles.map(printable));
  }
}

function refusal(
  name: string,
  outcome: Exclude<LoginOutcome, { kind: "granted" }>,
  keptOut: string | undefined,
): Failure {
  switch (outcome.kind) {
    case "disabled":
      return new Failure(
        ExitCode.noPermission,
        `the password of ${name} is right, and the user is disabled (nologin)`,
      );
    case "unavailable":
      return new Failure(ExitCode.temporary, `the password of ${name} could not be checked`);
    case "delayed":
      return new Failure(ExitCode.temporary, `too many logins of ${name} failed lately`);
    case "refused":
      return new Failure(
        ExitCode.noPermission,
        keptOut === undefined
          ? `the password of ${name} is wrong`
          : `the password of ${name} is wrong, or allow_nets keeps ${keptOut} out`,
      );
  }
}

function describe(state: MaildropState): string {
  switch (state.kind) {
    case "there": {
      const { length } = state.messages;
      const noun = length === 1 ? "message" : "messages";
      return `The mailbox is ${printable(state.path)}: ${length} ${noun}, ` +
        `${storedOctetsOf(state.messages)} octets.`;
    }
    case "not-yet":
      return `The mailbox is ${
        printable(state.path)
      }. It does not exist yet, which shows as empty.`;
    case "unusable":
      return `The mailbox cannot be used: ${printable(state.reason)}.`;
  }
}
