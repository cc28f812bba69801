/**
 * mailbox create, check, repair, export and stats as a command line, beside a server that runs: what clients see stays
 * as it is, and what comes out can be read by others.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { type Ended, popkeep, popkeepAtTerminal } from "../support/command_line.ts";
import { type RunningServer, type ServerOptions, startServer } from "../support/server.ts";

function message(subject: string): string {
  return `From: a@b.example\nDate: Tue, 14 Jul 2026 10:00:00 +0200\nSubject: ${subject}\n\n${subject}\n`;
}

async function withServer(
  work: (server: RunningServer) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> {
  const server = await startServer({
    users: ["alice", "bob"],
    settings: 'login_type = "plaintext_login"\nmark_retrieved_as_seen = false\n',
    ...options,
  });
  try {
    await work(server);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
  }
}

function mailbox(server: RunningServer, ...args: string[]): Promise<Ended> {
  const config = ["--config", `${server.folder}/popkeep.toml`];
  return popkeep(["mailbox", ...args, ...config], { folder: server.folder });
}

/** What a client sees: unique-ids with what RETR gives. */
async function seen(server: RunningServer): Promise<Map<string, string>> {
  const client = await server.login("alice");
  const found = new Map<string, string>();
  for (const line of await client.listing("UIDL")) {
    const [number, id] = line.split(" ");
    found.set(id!, (await client.listing(`RETR ${number}`)).join("\n"));
  }
  await client.quit();
  return found;
}

/** Faults of most kinds, in a mailbox that clients know. */
function breakMailbox(server: RunningServer): void {
  const maildir = server.maildir("alice");
  const { path, sidecar } = maildir;
  writeFileSync(`${path}/1700009001.M1P1.test:2,S`, message("stray"));
  maildir.deliver(message("twin"), "1700000002.M2P1.test");
  writeFileSync(sidecar, "+ 1 1 - - void\nnonsense\n+ 17", { flag: "a" });
  writeFileSync(`${path}/maildirsize`, "1000000S\n1 1\n");
  chmodSync(`${path}/cur`, 0o755);
  mkdirSync(`${path}/.Work/cur`, { recursive: true });
  writeFileSync(`${path}/.Work/cur/1700009003.M1P1.test:2,`, message("work"));
}

async function filled(server: RunningServer): Promise<Map<string, string>> {
  const maildir = server.maildir("alice");
  chmodSync(maildir.path, 0o700);
  maildir.deliver(message("one"), "1700000001.M1P1.test");
  maildir.place("1700000002.M2P1.test:2,S", message("two"));
  return await seen(server);
}

test("repair does what check says it would, and clients see what they saw before", () =>
  withServer(async (server) => {
    const before = await filled(server);
    assert.deepEqual((await mailbox(server, "check", "alice")).exitCode, 0);
    breakMailbox(server);

    const checked = await mailbox(server, "check", "alice", "--json");
    assert.equal(checked.exitCode, 65, checked.stderr);
    const findings: { kind: string; path: string; repair: string | null }[] = JSON.parse(
      checked.stdout,
    );
    const kinds = [
      ...["wrong-mode", "stray-message", "list-damaged", "list-void-lines", "name-twice"],
      ...["missing-folder", "missing-folder", "no-maildirfolder", "maildirsize-wrong"],
    ];
    for (const kind of kinds) assert.ok(findings.some((one) => one.kind === kind), kind);
    assert.ok(findings.every(({ repair }) => repair !== null), checked.stdout);

    const dry = await mailbox(server, "repair", "alice", "--dry-run");
    assert.equal(dry.exitCode, 65);
    assert.match(dry.stderr, /nothing was changed/);
    assert.equal(dry.stdout.split("\n").length, findings.length + 1);

    const repaired = await mailbox(server, "repair", "alice");
    assert.equal(repaired.exitCode, 0, repaired.stderr + repaired.stdout);
    const paths = (text: string) =>
      text.split("\n").filter((line) => line !== "")
        .map((line) => line.split("\t").slice(1, 4).join(" "));
    assert.deepEqual(paths(repaired.stdout), paths(dry.stdout), "just what was planned");
    for (const { path, repair } of findings) {
      assert.ok(repaired.stderr.includes(`will repair alice, ${path}: ${repair}\n`), path);
    }

    assert.equal(
      (await mailbox(server, "check", "alice")).exitCode,
      0,
      "nothing but a note is left",
    );
    const after = await seen(server);
    for (const [id, text] of before) assert.equal(after.get(id), text, id);
    const texts = [...after.values()].map((text) => text.split("\n").at(-1)).toSorted();
    assert.deepEqual(texts, ["one", "stray", "twin", "two"]);
  }));

test("a session that is open while the mailbox is repaired goes on", () =>
  withServer(async (server) => {
    await filled(server);
    const client = await server.login("alice");
    const before = await client.listing("UIDL");
    breakMailbox(server);
    assert.equal((await mailbox(server, "repair", "alice")).exitCode, 0);
    assert.deepEqual(await client.listing("UIDL"), before);
    assert.equal((await client.listing("RETR 2")).at(-1), "two");
    await client.quit();
  }));

test("all mailboxes are checked, and one that cannot be looked at does not hide the others", () =>
  withServer(async (server) => {
    await filled(server);
    breakMailbox(server);
    server.maildir("bob").deliver("no header\n");
    const { exitCode, stdout, stderr } = await mailbox(server, "check", "--all");
    assert.equal(exitCode, 65);
    assert.match(stdout, /^bob\tnote\tnot-rfc5322\t/m);
    assert.match(stdout, /^alice\terror\tlist-damaged\t/m);
    assert.match(stderr, /errors?, \d+ warnings?, 2 notes; repair would see to/);
    assert.equal((await mailbox(server, "check")).exitCode, 64);
    assert.equal((await mailbox(server, "check", "alice", "--all")).exitCode, 64);
    assert.equal((await mailbox(server, "check", "nobody")).exitCode, 67);
  }));

test("at a terminal findings are sentences", () =>
  withServer(async (server) => {
    server.maildir("alice").deliver("no \x1b[31mheader\n", "1700000001.M1P1.te\x1b[2Jst");
    chmodSync(server.maildir("alice").path, 0o700);
    const config = ["--config", `${server.folder}/popkeep.toml`];
    const { exitCode, screen } = await popkeepAtTerminal(["mailbox", "check", "alice", ...config], {
      folder: server.folder,
    });
    assert.equal(exitCode, 65);
    assert.match(
      screen,
      /alice\r?\n +.*warning.* +new\/1700000001\.M1P1\.te.\[2Jst: its name has control/,
    );
    assert.ok(!screen.includes("\x1b[2J"), "what is in names steers no terminal");
  }));

test("create makes what is not there, and says what is", () =>
  withServer(async (server) => {
    mkdirSync(server.homeOf("bob"), { recursive: true });
    const first = await mailbox(server, "create", "bob", "--folder", "Archive/2024", "\u00c4rger");
    assert.equal(first.exitCode, 0, first.stderr);
    const path = `${server.homeOf("bob")}/Maildir`;
    assert.equal(
      first.stdout,
      `bob\tINBOX\tmade\t${path}\nbob\tArchive/2024\tmade\t${path}/.Archive.2024\n` +
        `bob\t\u00c4rger\tmade\t${path}/.&AMQ-rger\n`,
    );
    for (const part of ["new", "cur", "tmp", ".Archive.2024/new"]) {
      assert.equal(statSync(`${path}/${part}`).mode & 0o777, 0o700, part);
    }
    assert.ok(existsSync(`${path}/.Archive.2024/maildirfolder`));
    server.maildir("bob").deliver(message("kept"));
    const again = await mailbox(server, "create", "bob", "nobody", "--folder", "archive/2024");
    assert.equal(again.exitCode, 67);
    assert.equal(
      again.stdout,
      `bob\tINBOX\tthere\t${path}\nbob\tarchive/2024\tthere\t${path}/.Archive.2024\n`,
    );
    assert.equal((await mailbox(server, "check", "bob")).exitCode, 0, "what it makes is sound");
    assert.equal((await mailbox(server, "create", "bob", "--folder", "../../etc")).exitCode, 65);
  }));

test("an mbox is what Python's mailbox module has it to be", () =>
  withServer(async (server) => {
    const maildir = server.maildir("alice");
    const tricky = `Return-Path: <bounce@example.org>\n${message("tricky")}From me\n>From you\nend`;
    maildir.deliver(tricky, "1700000001.M1P1.test");
    maildir.place("1700000002.M2P1.test:2,FS", message("two").replaceAll("\n", "\r\n"));
    mkdirSync(`${maildir.path}/.Work/cur`, { recursive: true });
    mkdirSync(`${maildir.path}/.Work/new`);
    writeFileSync(`${maildir.path}/.Work/new/1700000003.M1P1.test`, message("work"));
    const ids = [...(await seen(server)).keys()];
    const exported = await mailbox(server, "export", "alice", "--x-uidl", "--status");
    assert.equal(exported.exitCode, 0, exported.stderr);
    writeFileSync(`${server.folder}/out.mbox`, exported.stdout, "latin1");
    const read = execFileSync("python3", ["-c", READ_MBOX, `${server.folder}/out.mbox`], {
      encoding: "utf8",
    });
    assert.deepEqual(JSON.parse(read), [
      [
        "tricky",
        ids[0],
        null,
        "bounce@example.org Tue Nov 14 22:13:21 2023",
        "tricky\n>From me\n>>From you\nend\n",
      ],
      ["two", ids[1], "RO F", "MAILER-DAEMON Tue Nov 14 22:13:22 2023", "two\n"],
      ["work", null, null, "MAILER-DAEMON Tue Nov 14 22:13:23 2023", "work\n"],
    ]);
  }));

const READ_MBOX = `
import json, mailbox, sys
def of(m):
    flags = [m[name] for name in ("Status", "X-Status") if m[name]]
    return [m["Subject"], m["X-UIDL"], " ".join(flags) or None, m.get_from(), m.get_payload()]
print(json.dumps([of(m) for m in mailbox.mbox(sys.argv[1])]))
`;

test("a Maildir and files of messages are octet by octet what they were, and take nobody's place", () =>
  withServer(async (server) => {
    const maildir = server.maildir("alice");
    maildir.deliver("Subject: x\r\n\r\n\0\xff\r", "1700000001.M1P1.test");
    maildir.place("1700000002.M2P1.test:2,S", message("two"));
    const to = `${server.folder}/out`;
    assert.equal(
      (await mailbox(server, "export", "alice", "--format", "maildir", "--to", to)).exitCode,
      0,
    );
    for (const file of maildir.files()) {
      assert.deepEqual(readFileSync(`${to}/${file}`), readFileSync(`${maildir.path}/${file}`));
      assert.equal(statSync(`${to}/${file}`).mtimeMs, Number(file.slice(4, 14)) * 1_000);
    }
    assert.deepEqual(readdirSync(to).sort(), ["cur", "new", "tmp"]);
    for (const format of ["mbox", "maildir", "eml"]) {
      const again = await mailbox(
        server,
        "export",
        "alice",
        "--format",
        format,
        "--to",
        `${to}/new/..`,
      );
      if (format !== "mbox") assert.equal(again.exitCode, 73, again.stderr);
    }
    const eml = await mailbox(server, "export", "alice", "--format", "eml", "--to", `${to}.eml`);
    assert.equal(eml.exitCode, 0, eml.stderr);
    assert.deepEqual(
      readFileSync(`${to}.eml/INBOX/000002.eml`),
      maildir.read("1700000002.M2P1.test"),
    );
    assert.equal((await mailbox(server, "export", "alice", "--format", "eml")).exitCode, 64);
    writeFileSync(`${to}.mbox`, "mine");
    assert.equal((await mailbox(server, "export", "alice", "--to", `${to}.mbox`)).exitCode, 73);
    assert.equal(readFileSync(`${to}.mbox`, "utf8"), "mine");
    assert.ok(!existsSync(`${to}.mbox.partial`));
  }));

test(
  "a message that cannot be read is named, and the others are exported",
  { skip: process.geteuid?.() === 0 ? false : "only root can make a file that others cannot read" },
  () =>
    withServer(async (server) => {
      const maildir = server.maildir("alice");
      maildir.deliver(message("one"), "1700000001.M1P1.test");
      maildir.deliver(message("shut"), "1700000002.M2P1.test");
      chmodSync(`${maildir.path}/new/1700000002.M2P1.test`, 0o000);
      for (
        const path of [
          server.folder,
          `${server.folder}/popkeep.toml`,
          server.homeOf("alice"),
          maildir.path,
          `${maildir.path}/new`,
          `${maildir.path}/cur`,
          `${maildir.path}/new/1700000001.M1P1.test`,
        ]
      ) {
        chmodSync(path, 0o755);
      }
      chmodSync(`${server.folder}/users`, 0o644);
      chownSync(`${maildir.path}/new/1700000002.M2P1.test`, 1, 1);
      const { exitCode, stdout, stderr } = await popkeep(
        ["mailbox", "export", "alice", "--config", `${server.folder}/popkeep.toml`],
        { folder: server.folder, unprivileged: true },
      );
      assert.equal(exitCode, 74, stderr);
      assert.match(stdout, /^Subject: one$/m);
      assert.match(stderr, /INBOX, new\/1700000002\.M2P1\.test cannot be read/);
      assert.match(stderr, /1 message exported, and 1 left out/);
    }),
);

test("stats tell what there is by folder, and the largest messages", () =>
  withServer(async (server) => {
    await filled(server);
    const { path } = server.maildir("alice");
    mkdirSync(`${path}/.Work/cur`, { recursive: true });
    writeFileSync(`${path}/.Work/cur/1700090000.M1P1.test:2,S`, message("a much larger one"));
    const octets = message("one").length + message("two").length;
    const { stdout } = await mailbox(server, "stats", "alice");
    assert.equal(
      stdout,
      `alice\tINBOX\t2\t${octets}\t1\t1\t2023-11-14\t2023-11-14\t2\t0\n` +
        `alice\tWork\t1\t${
          message("a much larger one").length
        }\t0\t1\t2023-11-15\t2023-11-15\t0\t0\n`,
    );
    const largest = await mailbox(server, "stats", "--all", "--largest", "1");
    assert.equal(
      largest.stdout,
      `alice\tWork\t${
        message("a much larger one").length
      }\t2026-07-14\ta@b.example\ta much larger one\n`,
    );
    const [inbox] = JSON.parse((await mailbox(server, "stats", "alice", "--json")).stdout);
    assert.equal(inbox.largest.length, 2);
    assert.equal(inbox.listOctets, statSync(server.maildir("alice").sidecar).size);
    assert.equal(inbox.quota.messages, 3);
    assert.equal((await mailbox(server, "stats", "alice", "--largest", "0")).exitCode, 64);
  }));
