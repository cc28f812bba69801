/**
 * mutt downloads the demo mail: by opening the mailbox, keeping what it has read in its message cache,
 * and by fetching all mail to the local mailbox and deleting it.
 *
 * What mutt itself does to a message, and all that is allowed for here:
 * - Line ends become LF (pop_fetch_data in pop_lib.c writes "\n" behind every line).
 * - A line ends at its first NUL, since mutt handles lines as C strings.
 * - A message of no octets cannot be opened in a POP mailbox; mutt gives up there. It is left untagged.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testClient, type Visit, withLocalLineEnds } from "../support/client_suite.ts";
import { demoMessages } from "../support/demo_mail.ts";
import { run } from "../support/real_client.ts";

testClient({
  name: "mutt",
  commands: ["mutt", "script"],
  ways: ["plain", "STLS", "TLS"],
  makes: (canonical) => canonical.map(withLocalLineEnds).map(withLinesCutAtNul),
  leaves: (canonical) => canonical.length === 0,
  download: (visit) => visit.mode === "keep" ? readInPlace(visit) : fetchMail(visit),
});

/** Opens the mailbox on the server and copies all of it, which brings every message into the cache. */
async function readInPlace(visit: Visit): Promise<void> {
  const { server, folder, user, inbox } = visit;
  const cache = join(folder, `cache-${user}`);
  mkdirSync(cache, { recursive: true });
  const before = filesOf(cache);
  const unreadable = demoMessages(user).flatMap(({ canonical }, i) =>
    canonical.length === 0 ? [`<untag-pattern>~m${i + 1}-${i + 1}<enter>`] : []
  );
  const copy = join(folder, "copied");
  const keys = `<tag-pattern>~A<enter>${unreadable.join("")}` +
    `<tag-prefix><copy-message>${copy}<enter><quit>`;
  await mutt(visit, [`set message_cachedir="${cache}"`], keys, ["-f", urlOf(visit)]);
  const [mailbox] = readdirSync(cache);
  assert.ok(mailbox, `mutt has cached nothing of ${user} on ${server.host}`);
  // A file that was written again has another inode: such a message has been downloaded twice.
  for (const [file, identity] of filesOf(cache)) {
    if (before.get(file) !== identity) inbox.add(readFileSync(join(cache, file)));
  }
}

/** Fetches all mail into a local Maildir, deletes it on the server, and hands it to the inbox. */
async function fetchMail(visit: Visit): Promise<void> {
  const { folder, user, inbox } = visit;
  const spool = join(folder, `spool-${user}`);
  for (const part of ["cur", "new", "tmp"]) mkdirSync(join(spool, part), { recursive: true });
  const settings = [
    `set pop_host="${urlOf(visit)}"`,
    `set spoolfile="${spool}"`,
    "set pop_delete=yes",
  ];
  await mutt(visit, settings, "<fetch-mail><quit>");
  // SECONDS.PID_COUNTER.HOST; messages that mutt has shown on its index are still in new/.
  const counterOf = (name: string) => Number(/_([0-9]+)\./.exec(name)?.[1]);
  const names = readdirSync(join(spool, "new")).sort((a, b) => counterOf(a) - counterOf(b));
  for (const name of names) inbox.add(readFileSync(join(spool, "new", name)));
}

const urlOf = ({ server, user }: Visit) =>
  `${server.way === "TLS" ? "pops" : "pop"}://${user}@${server.host}:${server.port}`;

/** Runs mutt in a terminal of its own, since it starts in no other place, and types the keys. */
async function mutt(
  { server, folder }: Visit,
  more: readonly string[],
  keys: string,
  arguments_: readonly string[] = [],
): Promise<void> {
  const file = join(folder, "muttrc");
  const settings = [
    `set pop_pass="${server.password}"`,
    `set pop_authenticators="${server.way === "plain" ? "user" : "plain"}"`,
    `set ssl_force_tls=${server.way === "plain" ? "no" : "yes"}`,
    `set ssl_starttls=${server.way === "STLS" ? "yes" : "no"}`,
    `set ssl_ca_certificates_file="${server.certificateFile}"`,
    `set certificate_file="${server.certificateFile}"`,
    `set folder="${folder}"`,
    "set mbox_type=Maildir sort=mailbox-order sleep_time=0 delete=yes quit=yes wait_key=no mark_old=no",
    "set confirmappend=no confirmcreate=no pop_last=no pop_reconnect=no",
    ...more,
    `push ${keys}`,
  ];
  writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
  const command = ["mutt", "-n", "-F", file, ...arguments_].join(" ");
  const typescript = join(folder, "typescript");
  const ended = await run(
    folder,
    "script",
    "--quiet",
    "--return",
    "--command",
    command,
    typescript,
  );
  assert.equal(ended.code, 0, existsSync(typescript) ? readFileSync(typescript, "latin1") : "");
}

/** The files under the cache's only mailbox by unique-id, and which file on the disk each is. */
function filesOf(cache: string): Map<string, string> {
  const [mailbox] = readdirSync(cache);
  if (mailbox === undefined) return new Map();
  const names = readdirSync(join(cache, mailbox)).sort((a, b) => Number(a) - Number(b));
  return new Map(names.map((name) => {
    const { ino, mtimeMs } = statSync(join(cache, mailbox, name));
    return [`${mailbox}/${name}`, `${ino} ${mtimeMs}`];
  }));
}

function withLinesCutAtNul(message: Buffer): Buffer {
  return Buffer.from(message.toString("latin1").replace(/\0[^\n]*/g, ""), "latin1");
}
