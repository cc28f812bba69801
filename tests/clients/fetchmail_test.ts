/**
 * fetchmail downloads the demo mail.
 *
 * What fetchmail 6.4 itself does to a message, and all that is allowed for here:
 * - A message without any line, or with an empty first line and no other, is replaced by a note that it
 *   was "Headerless mail".
 * - A first line that begins with "From " is left out: it takes it for the line of a mailbox file.
 * - Byte-stuffing of lines before the first empty line is left as it is, save on the first line.
 * - A message without an empty line gets one at its end.
 * - A line longer than its buffer is written in pieces, and behind each piece but the last go a NUL and
 *   what follows in its memory up to the next LF (`stuffline` in sink.c looks for an LF that is not there).
 *
 * `set invisible` keeps it from adding a Received field, `no rewrite` from completing addresses,
 * `no stripcr` from taking CRs out, `bad-header accept` from refusing what has no proper header
 * (fetchmail(1)).
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { testClient } from "../support/client_suite.ts";
import { run } from "../support/real_client.ts";

/** Octets of a line that fetchmail writes at once: MSGBUFSIZE of fetchmail.h, less the NUL. */
const PIECE_OCTETS = 8191;

/** fetchmail's exit codes for "mail was retrieved" and "there was none" (fetchmail(1), EXIT CODES). */
const RETRIEVED = 0;
const NO_MAIL = 1;

testClient({
  name: "fetchmail",
  commands: ["fetchmail"],
  ways: ["plain", "STLS", "TLS"],
  makes: (canonical, { user, server }) =>
    canonical.map((message) => asFetchmailDelivers(message, `${user}'s mailbox on ${server.host}`)),
  without: withoutWhatFollowsPieces,
  async download({ server, folder, user, inbox, mode }) {
    const tls = `sslcertck sslcertfile "${server.certificateFile}"`;
    const security = { plain: "sslproto ''", STLS: `sslproto 'TLS1.2+' ${tls}`, TLS: `ssl ${tls}` };
    const settings = [
      "set invisible",
      `poll ${server.host} service ${server.port} protocol pop3 uidl bad-header accept auth password`,
      `  user "${user}" password "${server.password}" is root here ${security[server.way]}`,
      `  ${mode === "keep" ? "keep" : "no keep fetchall"} no rewrite no stripcr`,
      `  mda "${inbox.deliver} ${inbox.folder}"`,
    ];
    const file = join(folder, "fetchmailrc");
    writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
    const seen = join(folder, `${user}.seen`);
    const local = ["--nosyslog", "--nodetach", "--pidfile", join(folder, "pid"), "--idfile", seen];
    const ended = await run(folder, "fetchmail", "--fetchmailrc", file, ...local);
    assert.ok(ended.code === RETRIEVED || ended.code === NO_MAIL, ended.output);
  },
});

function asFetchmailDelivers(canonical: Buffer, mailbox: string): Buffer {
  let text = canonical.toString("latin1");
  if (text === "" || text === "\r\n") {
    text = `From: FETCHMAIL-DAEMON\r\nTo: root@${hostname()}\r\n` +
      `Subject: Headerless mail from ${mailbox}\r\n\r\n`;
    return Buffer.from(text, "latin1");
  }
  text = text.replace(/^From .*\r\n/, "");
  const emptyLineAt = text.indexOf("\r\n\r\n");
  const header = emptyLineAt === -1 ? text : text.slice(0, emptyLineAt + 2);
  const rest = emptyLineAt === -1 ? "\r\n" : text.slice(emptyLineAt + 2);
  return Buffer.from(header.replaceAll("\n.", "\n..") + rest, "latin1");
}

function withoutWhatFollowsPieces(delivered: Buffer): Buffer {
  const behindPieces = new RegExp(`(?<=(?:^|\\n)(?:[^\\n\\0]{${PIECE_OCTETS}})+)\\0[^\\n]*\\n`);
  let text = delivered.toString("latin1");
  while (behindPieces.test(text)) text = text.replace(behindPieces, "");
  return Buffer.from(text, "latin1");
}
