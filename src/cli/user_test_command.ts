/** `popkeep user test`: whether and how a user would be let in, and what they would find. */

import { isIP } from "node:net";
import { Command } from "commander";
import { Authenticator } from "../auth/authenticator.ts";
import type { AccountDirectory, DirectoryEntry } from "../auth/directory.ts";
import { HashPool } from "../auth/hash_pool.ts";
import type { LoginOutcome } from "../auth/login.ts";
import { isHashFault, readStoredPassword } from "../auth/stored_password.ts";
import type { Settings } from "../settings.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { directoryName, findUser, type FoundUser, noSuchUser } from "./find_user.ts";
import { kerberosFaultOf } from "./kerberos_fault.ts";
import { nameRulesOf, weakSchemesOf } from "./login_options.ts";
import { openDirectories } from "./login_parts.ts";
import { type MaildropState, maildropState, refusalOf, storedOctetsOf } from "./maildrop_state.ts";
import { print } from "./output.ts";
import { Parts } from "./parts.ts";
import { knownPassword, PASSWORD_STDIN, type PasswordOptions } from "./password.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { type Way, waysOf } from "./user_ways.ts";

type Options = ConfigOptions & PasswordOptions & {
  readonly from: string;
  /** False where `--no-password` was given. */
  readonly password: boolean;
};

export function userTestCommand(): Command {
  const command = new Command("test")
    .description(
      "try each way of logging in for a user, say why one would fail, look at the mailbox",
    )
    .argument("<user>", "the name to log in with, in any form that the settings allow")
    .addOption(configOption())
    .option(...PASSWORD_STDIN)
    .option("--no-password", "ask for none, and only tell what is set up")
    .option("--from <address>", "log in as if from this address, for allow_nets", "127.0.0.1")
    .action(test);
  return withExample(command, "popkeep user test alice@example.com --from 192.0.2.7");
}

async function test(user: string, options: Options): Promise<void> {
  if (isIP(options.from) === 0) {
    throw new Failure(ExitCode.usage, `${printable(options.from)} is no IP address`);
  }
  const settings = settingsOrFailure(options, { checkFiles: false });
  const parts = new Parts();
  try {
    const directories = await openDirectories(settings, parts);
    await new Trial({ user, settings, directories, options }).run();
  } finally {
    await parts.closeAllBut();
  }
}

class Trial {
  readonly #user: string;
  readonly #settings: Settings;
  readonly #directories: readonly AccountDirectory[];
  readonly #options: Options;
  /** The label of the app password that was the right one. */
  #appPassword: string | undefined;
  /** The index of the directory that called the password right itself. */
  #takenBy: number | undefined;

  constructor({ user, settings, directories, options }: {
    readonly user: string;
    readonly settings: Settings;
    readonly directories: readonly AccountDirectory[];
    readonly options: Options;
  }) {
    this.#user = user;
    this.#settings = settings;
    this.#directories = directories;
    this.#options = options;
  }

  async run(): Promise<void> {
    const found = await this.#find();
    const index = found?.index;
    const name = printable(found?.entry.account.user ?? this.#user);
    const password = this.#options.password ? await knownPassword(name, this.#options) : undefined;
    const outcome = password && await this.#logIn(password);
    const right = outcome?.kind === "granted";
    const ways = await waysOf({
      settings: this.#settings,
      entry: found?.entry,
      table: index === undefined ? undefined : this.#settings.directories[index],
      password,
      passwordIsRight: right,
      appPassword: this.#appPassword,
      kerberosFault: await kerberosFaultOf(this.#settings),
    });
    const account = right ? outcome.account : found?.entry.account;
    const state = account && await maildropState(this.#settings.maildir, account);
    await print([
      ...(right ? [`The ${this.#passwordName} of ${name} is right.\n`] : []),
      ...this.#whereabouts(name, index ?? this.#takenBy),
      describeWays(ways),
      ...(state === undefined ? [] : [`${describe(state)}\n`]),
    ].join(""));
    if (outcome !== undefined && outcome.kind !== "granted") {
      throw this.#refusal(name, outcome, found?.entry);
    }
    if (state?.kind === "unusable") throw new Failure(ExitCode.inputOutput, refusalOf(state));
    if (state?.kind === "there" && state.troubles.length > 0) {
      throw new Failure(ExitCode.inputOutput, state.troubles.map(printable));
    }
  }

  /** Undefined where only a password can tell whether the user exists. */
  async #find(): Promise<FoundUser | undefined> {
    const found = await findUser(this.#user, this.#settings, this.#directories);
    if (found !== undefined) return found;
    if (this.#directories.some(({ checkPassword }) => checkPassword !== undefined)) {
      return undefined;
    }
    throw noSuchUser(this.#user, this.#settings);
  }

  #whereabouts(name: string, index: number | undefined): string[] {
    if (index === undefined) return [];
    return [`${name} is in the directory ${directoryName(index, this.#settings)}.\n`];
  }

  get #passwordName(): string {
    return this.#appPassword === undefined ? "password" : `app password ${this.#appPassword}`;
  }

  /** As a login does it, but without counting it among the failed ones. */
  async #logIn(password: Uint8Array): Promise<LoginOutcome> {
    const hashPool = new HashPool({ workers: 1 });
    const authenticator = new Authenticator({
      directories: this.#directories.map((directory, index) =>
        noting(directory, () => this.#takenBy = index)
      ),
      hashPool,
      passwordMemoryMs: 0,
      weakSchemes: weakSchemesOf(this.#settings),
      names: nameRulesOf(this.#settings),
      masterUsers: this.#settings.masterUsers,
      noteAppPassword: (_, label) => this.#appPassword = label,
    });
    const desk = authenticator.deskFor(this.#options.from);
    try {
      return await desk.checkPassword(this.#user, password);
    } finally {
      await hashPool.close();
    }
  }

  #refusal(
    name: string,
    outcome: Exclude<LoginOutcome, { kind: "granted" }>,
    entry: DirectoryEntry | undefined,
  ): Failure {
    const stored = entry && readStoredPassword(entry.storedPassword, weakSchemesOf(this.#settings));
    switch (outcome.kind) {
      case "disabled":
        return new Failure(
          ExitCode.noPermission,
          `the password of ${name} is right, and the user is disabled (nologin)`,
        );
      case "delayed":
      case "unavailable":
        return new Failure(ExitCode.temporary, `the password of ${name} could not be checked`);
      case "refused": {
        if (stored !== undefined && isHashFault(stored) && this.#checksHere(entry)) {
          return new Failure(ExitCode.noPermission, `${name} cannot log in: ${stored.reason}`);
        }
        const { from } = this.#options;
        const mayBeAddress = entry?.allowedNetworks !== undefined && !entry.allowedNetworks(from);
        return new Failure(
          ExitCode.noPermission,
          mayBeAddress
            ? `the password of ${name} is wrong, or allow_nets keeps ${from} out`
            : `the password of ${name} is wrong`,
        );
      }
    }
  }

  /** Whether the entry comes from where the password field is handed out. */
  #checksHere(entry: DirectoryEntry | undefined): boolean {
    return entry !== undefined &&
      this.#directories.every(({ checkPassword }) => checkPassword === undefined);
  }
}

/** The directory, which tells when it calls a password right. */
function noting(directory: AccountDirectory, note: () => void): AccountDirectory {
  if (directory.checkPassword === undefined) return directory;
  const { kind, findsByName, secretKinds } = directory;
  return {
    kind,
    findsByName,
    secretKinds,
    lookUp: (user, address) => directory.lookUp(user, address),
    checkPassword: async (user, password, address) => {
      const check = await directory.checkPassword!(user, password, address);
      if (check.kind === "right") note();
      return check;
    },
  };
}

function describeWays(ways: readonly Way[]): string {
  const remarks = new Set(ways.map(({ remark }) => remark));
  if (remarks.size === 1 && !ways[0]!.isOfUser) {
    return `Nobody can log in: ${printable(ways[0]!.remark)}.\n`;
  }
  const name = Math.max(...ways.map((way) => way.name.length));
  const works = Math.max(...ways.map((way) => way.works.length));
  return ways.map((way) =>
    `  ${way.name.padEnd(name)}  ${way.works.padEnd(works)}  ${printable(way.remark)}\n`
  ).join("");
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
