/**
 * `popkeep init`: a folder from which popkeep can serve: settings, users, certificate, key, and a folder
 * for the mail, which has to be there for a login to be let in.
 *
 * Nothing that is there is touched: all targets are looked at before anything is asked or written, each
 * file is made only if it does not exist, and what was made is taken away again when a later one fails.
 */

import { join } from "node:path";
import process from "node:process";
import { Command } from "commander";
import { addUser } from "../auth/user_file/user_file_edit.ts";
import { commentedSettings } from "../settings/commented_file.ts";
import { settingsFile } from "../settings/schema.ts";
import { refuseBoth } from "./contradiction.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { NewFiles } from "./new_files.ts";
import { print } from "./output.ts";
import { askShown, newPassword, PASSWORD_STDIN, type PasswordOptions } from "./password.ts";
import { printable } from "./printable.ts";
import { makeSelfSigned, type SelfSigned } from "./self_signed.ts";
import { checkUserName, editing, schemeOption, storedPassword } from "./user_file.ts";

interface Options extends PasswordOptions {
  /** False for --no-user. */
  readonly user?: string | false;
  readonly serverName?: string;
  readonly scheme?: string;
}

const FILES = {
  settings: "popkeep.toml",
  users: "users",
  certificate: "certificate.pem",
  key: "key.pem",
} as const;

/** Where the settings put the mail, so that it stays with them and needs no home folders. */
const MAIL = "mail";
const MAILDIR = `${MAIL}/{user}`;

export function initCommand(): Command {
  const command = new Command("init")
    .description("make settings, a user and a self-signed certificate; overwrites nothing")
    .argument("[folder]", "where to put them; made if it does not exist", ".")
    .option("--user <name>", "the first user (asked for unless given)")
    .option("--no-user", "make no user")
    .option(...PASSWORD_STDIN)
    .addOption(schemeOption())
    .option("--server-name <name>", "the name clients know the server by (default: the host name)")
    .action(init);
  refuseBoth(command, "user");
  return withExample(
    command,
    "popkeep init mail --user alice",
    "pass mail/alice | popkeep init /etc/popkeep --user alice --password-stdin",
  );
}

async function init(folder: string, options: Options): Promise<void> {
  const files = new NewFiles(folder);
  await files.check(Object.values(FILES));
  const serverName = checkedServerName(options.serverName);
  const user = await firstUser(options);

  const signed = await makeSelfSigned([serverName, "localhost", "127.0.0.1", "::1"]);
  const settings = commentedSettings({
    values: { server_name: serverName, maildir: MAILDIR },
    certificate: { certificate_file: FILES.certificate, key_file: FILES.key },
  });
  await files.make(async () => {
    await files.addFolder(MAIL, 0o700);
    await files.write(FILES.users, "", 0o600);
    await files.write(FILES.certificate, signed.certificate, 0o644);
    await files.write(FILES.key, signed.key, 0o600);
    if (user !== undefined) await editing(addUser(join(folder, FILES.users), user));
    // The settings come last: where they are, the rest is.
    await files.write(FILES.settings, settings, 0o644);
  });
  await print(whatNext(folder, user?.user, signed));
}

async function firstUser(options: Options) {
  if (options.user === false) return undefined;
  const user = options.user ?? await askShown("Name of the first user: ");
  checkUserName(user);
  const password = await newPassword(printable(user), options);
  return { user, storedPassword: await storedPassword(options.scheme ?? "ARGON2ID", password) };
}

/** The name as given, or the setting's own default. */
function checkedServerName(name: string | undefined): string {
  const { success, data } = settingsFile.shape.server_name.safeParse(name);
  if (success) return data;
  throw new Failure(ExitCode.usage, `${printable(name ?? "")} is no host name`);
}

function whatNext(folder: string, user: string | undefined, signed: SelfSigned): string {
  const settings = join(folder, FILES.settings);
  // Settings in the current folder are found without being named.
  const config = folder === "." ? "" : ` --config ${settings}`;
  const mailbox = join(folder, MAILDIR.replace("{user}", user ?? "USER"));
  const made = [
    ...Object.values(FILES).map((file) => join(folder, file)),
    `${join(folder, MAIL)}/`,
  ];
  return `Made
${made.map((path) => `  ${path}`).join("\n")}

What to do next:
${user === undefined ? `  - add a user:                  popkeep user add alice${config}\n` : ""}\
  - let mail be delivered into:  ${printable(mailbox)}/ (a Maildir; it may not exist yet)
  - start the server:            popkeep serve${config}
    The ports 110 and 995 need root or the capability CAP_NET_BIND_SERVICE; others are set in
    ${settings}.
${forRoot(folder)}\
  - try a login:                 popkeep user test ${printable(user ?? "alice")}${config}
  - put a certificate that clients trust in the place of ${FILES.certificate}: this one signs
    itself and ends on ${signed.ends.toISOString().slice(0, 10)}.
`;
}

/** What root makes is root's, and lost on a server that runs as somebody else, as it should. */
function forRoot(folder: string): string {
  if (process.geteuid?.() !== 0) return "";
  const owned = [FILES.users, FILES.key, MAIL].map((name) => join(folder, name)).join(" ");
  return `    Started by root, it becomes the user that the setting user names: name the owner of the mail, and
    give that user what is root's now: chown USER ${printable(owned)}
    The systemd unit cannot write below /etc: set maildir to a folder elsewhere.
`;
}
