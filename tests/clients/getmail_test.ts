/**
 * getmail6 downloads the demo mail. It has no STLS.
 *
 * What getmail itself does to a message, and all that is allowed for here:
 * - Line ends become LF, as it delivers to the local system.
 * - Return-Path becomes the first header field: the message's own, that of Sender, or "unknown"
 *   (documented under "Return-Path" in its configuration manual).
 * - It reads and writes every message by Python's email library, which changes those few in REWRITTEN
 *   besides. What it makes of them is asked of that library, from the file's octets; all other messages
 *   have to come out as they are.
 *
 * `delivered_to = false` and `received = false` keep it from adding further fields.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testClient, type Visit, withLocalLineEnds } from "../support/client_suite.ts";
import { demoMessages } from "../support/demo_mail.ts";
import { run } from "../support/real_client.ts";

/** The Python that Debian's getmail runs in. */
const PYTHON = "/usr/bin/python3";
const EMAIL = fileURLToPath(new URL("./getmail_email.py", import.meta.url));

/** Messages, by how their file names begin, and what the email library changes in them. */
const REWRITTEN: Readonly<Record<string, string>> = {
  "1712563201.": "folds a Received field of more than 78 characters elsewhere",
  "1715071113.": "folds long fields elsewhere",
  "1712822987.": "takes a lone CR for the end of a line",
  "1713168000.": "adds the empty line that the message lacks",
  "1713254400.": "adds an empty line to a message of no octets",
  "1713427200.": "puts an empty line before a message that begins with no header",
  "1713513600.": "takes a CR at the end for a line end",
  "1713945600.": "leaves out a From_ line",
  "1713369600.": "writes one blank behind the colon of a field",
  "1713456000.": "closes a multipart that is not closed",
};

testClient({
  name: "getmail",
  commands: ["getmail"],
  ways: ["plain", "TLS"],
  async makes(canonical, { folder, user }) {
    const names = demoMessages(user).map(({ path }) => path.slice("cur/".length));
    const made = canonical.map(withLocalLineEnds);
    const rewritten = made.flatMap((_, i) => isRewritten(names[i]) ? [i] : []);
    const results = await byEmailLibrary(folder, rewritten.map((i) => made[i]!));
    rewritten.forEach((i, nth) => {
      const [before, after] = [made[i]!, results[nth]!];
      assert.ok(!after.equals(before), `${names[i]} need not stand in REWRITTEN`);
      made[i] = after;
    });
    return made.map(withReturnPath);
  },
  async download({ server, folder, user, inbox, mode }) {
    writeFileSync(join(folder, "patiently"), PATIENTLY, { mode: 0o755 });
    const file = join(folder, `getmailrc-${user}`);
    writeFileSync(file, settings({ server, folder, user, inbox, mode }), { mode: 0o600 });
    const ended = await run(folder, "getmail", "--getmaildir", folder, "--rcfile", file);
    assert.equal(ended.code, 0, ended.output);
    assert.doesNotMatch(ended.output, /error|warning/i);
  },
});

/**
 * Runs a delivery command, though not before getmail waits for its end (state S of proc(5)): a command
 * that ends sooner is missed, and getmail hangs (_wait_for_child in getmailcore/baseclasses.py).
 */
const PATIENTLY = `#!/bin/sh
while read -r _ _ state _ < "/proc/$PPID/stat" && [ "$state" != S ]; do sleep 0.01; done
exec "$@"
`;

const settings = ({ server, folder, user, inbox, mode }: Visit) => `
[retriever]
type = SimplePOP3${server.way === "TLS" ? "SSL" : ""}Retriever
server = ${server.host}
port = ${server.port}
username = ${user}
password = ${server.password}
${server.way === "TLS" ? `ca_certs = ${server.certificateFile}` : ""}

[destination]
type = MDA_external
path = ${join(folder, "patiently")}
arguments = ("${inbox.deliver}", "${inbox.folder}")
allow_root_commands = true

[options]
delete = ${mode === "delete"}
read_all = false
delivered_to = false
received = false
`;

function isRewritten(name: string | undefined): boolean {
  return name !== undefined && Object.keys(REWRITTEN).some((start) => name.startsWith(start));
}

async function byEmailLibrary(folder: string, messages: readonly Buffer[]): Promise<Buffer[]> {
  const folders = messages.map((octets) => {
    const place = mkdtempSync(join(folder, "email-"));
    writeFileSync(join(place, "in"), octets);
    return place;
  });
  const ended = await run(folder, PYTHON, EMAIL, ...folders);
  assert.equal(ended.code, 0, ended.output);
  return folders.map((place) => readFileSync(join(place, "out")));
}

/** Moves the Return-Path field to the front, or makes one. */
function withReturnPath(message: Buffer): Buffer {
  const text = message.toString("latin1");
  const headerEnd = text.indexOf("\n\n");
  const header = text.slice(0, headerEnd === -1 ? text.length : headerEnd + 1);
  const own = /^Return-Path: <(.*)>\n/im.exec(header)?.[1];
  const kept = header.replace(/^Return-Path: .*\n/im, "");
  const path = `Return-Path: <${own ?? "unknown"}>\n`;
  return Buffer.from(path + kept + text.slice(header.length), "latin1");
}
