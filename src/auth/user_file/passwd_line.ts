/**
 * One line of a user file in Dovecot's passwd-file form:
 *
 *     user:{SCHEME}hash:uid:gid:gecos:home:shell:extra
 *
 * All but the user may be missing. Extra fields are `key=value` or `key`, parted by spaces; they are the
 * rest of the line, colons included, so that IPv6 addresses may stand there. Keys that begin with
 * `userdb_` concern the mailbox, the others the login. Where the field of the extras is empty and more
 * follows, that is an old way to write `userdb_mail`. Source: Dovecot 2.3, src/auth/db-passwd-file.c.
 *
 * Of the extras `nologin`, `fail`, `allow_nets`, `allow_real_nets`, `user` and `userdb_home` have a
 * meaning here; passwd_secrets.ts has popkeep's own, and ignored_fields.ts those that are warned of. Those
 * that say where the mail is are kept as they were written, for who knows Maildirs. uid and gid are not
 * used, since popkeep does not change its own.
 */

import { type AllowedNetworks, parseAllowedNetworks } from "../allowed_networks.ts";
import { expandUserVariables, userVariables } from "../../maildrop/user_variables.ts";
import { OWN_FIELD, type OwnFields, readOwnFields } from "./passwd_secrets.ts";
import { faultOfUserName } from "../user_name.ts";

export interface PasswdEntry extends OwnFields {
  readonly user: string;
  readonly storedPassword: string;
  readonly home?: string;
  /** Extra fields without their `userdb_` prefix; of two with one name the `userdb_` one. */
  readonly extra: Readonly<Record<string, string>>;
  readonly disabled: boolean;
  readonly allowedNetworks?: AllowedNetworks;
  /** The `user` extra, as it is spelt there: this entry's password opens that user's mailbox. */
  readonly opensMailboxOf?: string;
}

/** Why a line is skipped; holds nothing of its password. */
export interface LineFault {
  readonly fault: string;
  /** Whose line it is, where that can be told. */
  readonly user?: string;
}

/** Fields that say where the mail is; their variables are the store's. */
const PLACES = ["mail", "mail_location", "mail_path", "mail_inbox_path"];

const PLACE_FIELDS: ReadonlySet<string> = new Set([
  ...PLACES,
  ...PLACES.map((field) => `userdb_${field}`),
]);

const NO_EXTRA: Readonly<Record<string, string>> = Object.freeze({});

/** Reads a line without its line end; undefined for a comment or a line that names no user. */
export function parsePasswdLine(line: string): PasswdEntry | LineFault | undefined {
  if (line === "" || line.startsWith("#") || line.startsWith(":")) return undefined;
  const [user = "", password = "", , , , homeField = "", , ...rest] = line.split(":");
  const fault = faultOfUserName(user);
  if (fault !== undefined) return { fault: `a user name ${fault}` };

  const extras = splitExtras(rest, user);
  const nets = ["allow_nets", "allow_real_nets"].flatMap((key) => extras.login.get(key) ?? []);
  const networks = nets.map(parseAllowedNetworks);
  if (!networks.every((network) => network !== undefined)) {
    return { user, fault: "allow_nets is no list of addresses and networks" };
  }
  const home = extras.mailbox.get("home") ?? homeField;
  if (home !== "" && !home.startsWith("/")) return { user, fault: "the home is no absolute path" };
  if (extras.notExpanded.has("userdb_home") || extras.notExpanded.has("user")) {
    return { user, fault: "an extra field has a variable in it that is not known here" };
  }
  const mailboxOf = extras.login.get("user");
  if (mailboxOf !== undefined && faultOfUserName(mailboxOf) !== undefined) {
    return { user, fault: "the extra field user is no user name" };
  }

  // "fail" is Dovecot's word for an entry that shall never match.
  const storedPassword = extras.login.has("fail") ? "!" : password;
  return {
    user,
    storedPassword,
    ...readOwnFields(extras.own, storedPassword),
    ...(home === "" ? {} : { home }),
    extra: rest.length === 0 ? NO_EXTRA : Object.fromEntries([...extras.login, ...extras.mailbox]),
    disabled: extras.login.has("nologin"),
    ...(networks.length === 0
      ? {}
      : { allowedNetworks: (address) => networks.every((allows) => allows(address)) }),
    ...(mailboxOf === undefined ? {} : { opensMailboxOf: mailboxOf }),
  };
}

interface Extras {
  readonly login: ReadonlyMap<string, string>;
  readonly mailbox: ReadonlyMap<string, string>;
  /** Popkeep's own, as they are written. */
  readonly own: ReadonlyMap<string, string>;
  /** Keys whose values have variables in them that are not known here. */
  readonly notExpanded: ReadonlySet<string>;
}

function splitExtras(fields: readonly string[], user: string): Extras {
  const login = new Map<string, string>();
  const mailbox = new Map<string, string>();
  const own = new Map<string, string>();
  const notExpanded = new Set<string>();
  const [first = "", ...further] = fields;
  const old = first === "" && further.join("") !== "";
  const variables = { ...userVariables(user), home: undefined };
  const text = old ? `userdb_mail=${further.join(":")}` : fields.join(":");
  for (const part of text.split(" ")) {
    // Colons alone are fields that are not there.
    if (/^:*$/.test(part)) continue;
    const equals = part.indexOf("=");
    const key = equals < 0 ? part : part.slice(0, equals);
    const written = equals < 0 ? "" : part.slice(equals + 1);
    // With userdb_ before it such a field is none of ours, and may hold a secret all the same.
    if (key.replace(/^userdb_/, "").startsWith(OWN_FIELD)) {
      own.set(key, written);
      continue;
    }
    const expanded = PLACE_FIELDS.has(key) ? written : expandUserVariables(written, variables);
    if (expanded === undefined) notExpanded.add(key);
    const value = expanded ?? written;
    // A password for another server has no use here; what is not kept cannot leak.
    if (key === "pass" || key === "password") continue;
    if (key.startsWith("userdb_")) mailbox.set(key.slice("userdb_".length), value);
    else login.set(key, value);
  }
  return { login, mailbox, own, notExpanded };
}
