/** `popkeep deliver`, as a mail system runs it: a message on standard input, and an exit code. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  popkeep,
  popkeepAtTerminal,
  popkeepCommand,
  type RunOptions,
} from "../../support/command_line.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(`${tmpdir()}/popkeep-deliver-`);
  chmodSync(folder, 0o755);
  mkdirSync(`${folder}/mail`);
  writeFileSync(`${folder}/users`, `alice@example.com:{PLAIN}x\nbob:{PLAIN}x\n`);
  writeFileSync(`${folder}/popkeep.toml`, settings());
});

after(() => rmSync(folder, { recursive: true, force: true }));

function settings(more = ""): string {
  return `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${folder}/mail/{user}"
folder_separator = "+"
${more}`;
}

function deliver(args: readonly string[], input: string | Uint8Array, more?: Partial<RunOptions>) {
  return popkeep(["deliver", "--config", `${folder}/popkeep.toml`, ...args], {
    folder,
    input,
    ...more,
  });
}

/** The messages in a Maildir, in their order, which are then removed. */
function taken(path: string): string[] {
  const names = readdirSync(`${path}/new`).sort();
  assert.deepEqual(readdirSync(`${path}/tmp`), []);
  const texts = names.map((name) => readFileSync(`${path}/new/${name}`, "latin1"));
  for (const name of names) rmSync(`${path}/new/${name}`);
  return texts;
}

const ALICE = "alice@example.com";

test("a message comes into a mailbox that is made for it, under its envelope", async () => {
  const text = "Subject: hello\n\nbody\n";
  const ended = await deliver(
    [ALICE, "--sender", "bob@example.org", "--recipient", "a.lice@example.com"],
    text,
  );
  assert.deepEqual(ended, { exitCode: 0, stdout: "", stderr: "" });
  assert.deepEqual(taken(`${folder}/mail/${ALICE}`), [
    `Return-Path: <bob@example.org>\nDelivered-To: a.lice@example.com\n${text}`,
  ]);
});

test("the line that local mail systems begin with is taken for the sender", async () => {
  const ended = await deliver(
    ["bob"],
    "From carol@example.org  Mon Nov 23 14:00:00 2026\r\nSubject: x\r\n\r\ny",
  );
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.deepEqual(taken(`${folder}/mail/bob`), [
    "Return-Path: <carol@example.org>\nDelivered-To: bob\nSubject: x\n\ny\n",
  ]);
});

test("a folder behind the name is taken where it is, and the INBOX where it is not", async () => {
  new TestMaildir(`${folder}/mail/bob/.Lists`);
  assert.equal((await deliver(["bob+lists"], "one\n")).exitCode, 0);
  assert.equal((await deliver(["bob+other"], "two\n")).exitCode, 0);
  assert.deepEqual(taken(`${folder}/mail/bob/.Lists`), ["Delivered-To: bob+lists\n\none\n"]);
  assert.deepEqual(taken(`${folder}/mail/bob`), ["Delivered-To: bob+other\n\ntwo\n"]);
});

test("messages without headers and of octets of all kinds are taken as they are", async () => {
  const octets = Buffer.from(Array.from({ length: 256 * 400 }, (_, at) => at % 256));
  for (const message of [Buffer.from("\n"), Buffer.from("no header\n"), octets]) {
    assert.equal((await deliver(["bob"], message)).exitCode, 0);
    const wanted = message.toString("latin1").replaceAll("\r\n", "\n");
    const end = wanted.endsWith("\n") ? "" : "\n";
    // A header that is not there is ended all the same: else the text stood in ours.
    const headerEnd = wanted === "\n" ? "" : "\n";
    assert.deepEqual(taken(`${folder}/mail/bob`), [
      `Delivered-To: bob\n${headerEnd}${wanted}${end}`,
    ]);
  }
});

test("nothing on standard input is no message, and told no success: 75", async () => {
  for (const nothing of ["", "From carol@example.org  Mon Nov 23 14:00:00 2026\n"]) {
    const ended = await deliver(["bob"], nothing);
    assert.equal(ended.exitCode, 75);
    assert.equal(ended.stderr, "popkeep: there was no message to deliver, not one octet\n");
  }
  const words = [...popkeepCommand(), "deliver", "--config", `${folder}/popkeep.toml`, "bob"];
  const closed = spawn("sh", ["-c", 'exec "$0" "$@" <&-', ...words], { stdio: "ignore" });
  assert.deepEqual(await once(closed, "exit"), [75, null]);
  assert.deepEqual(taken(`${folder}/mail/bob`), []);
});

test("a sender that a stranger chose keeps no mail away: it is left out", async () => {
  for (
    const sender of ['"a<b"@example.com', `${"a".repeat(300)}@b`, "a\x01b@example.com", "a\nb: c"]
  ) {
    const ended = await deliver(["--sender", sender, "--", "bob"], "text\n");
    assert.deepEqual([ended.exitCode, ended.stderr], [0, ""]);
    assert.deepEqual(taken(`${folder}/mail/bob`), ["Delivered-To: bob\n\ntext\n"]);
  }
  const line = "From a\x01b@example.com  Mon Nov 23 14:00:00 2026\ntext\n";
  assert.equal((await deliver(["bob"], line)).exitCode, 0);
  assert.deepEqual(taken(`${folder}/mail/bob`), ["Delivered-To: bob\n\ntext\n"]);
});

test("a sender that is not UTF-8 keeps no mail away", async () => {
  const words = [...popkeepCommand(), "deliver", "--config", `${folder}/popkeep.toml`];
  // By printf, since arguments of a child process are UTF-8 here.
  const script = 'printf "text\\n" | "$@" --sender "$(printf "a\\377b@c")" -- bob';
  const child = spawn("sh", ["-c", script, "sh", ...words], { stdio: "ignore" });
  assert.deepEqual(await once(child, "exit"), [0, null]);
  const [message] = taken(`${folder}/mail/bob`);
  assert.equal(message, "Delivered-To: bob\n\ntext\n");
});

test("the null sender, and one that looks like an option, are senders", async () => {
  for (const sender of ["", "-x@example.org", "--help"]) {
    assert.equal((await deliver(["--sender", sender, "--", "bob"], "text\n")).exitCode, 0);
    const text = `Return-Path: <${sender}>\nDelivered-To: bob\n\ntext\n`;
    assert.deepEqual(taken(`${folder}/mail/bob`), [text]);
  }
});

test("for a recipient that cannot stand in a header the user stands there", async () => {
  for (const recipient of ["a\nb: c", "<bob>", `${"a".repeat(300)}@b`]) {
    assert.equal((await deliver(["bob", "--recipient", recipient], "text\n")).exitCode, 0);
    assert.deepEqual(taken(`${folder}/mail/bob`), ["Delivered-To: bob\n\ntext\n"]);
  }
});

test("a command line that is wrong gives no mail back: 75, where other commands say 64", async () => {
  for (const args of [["--nonsense", "bob"], [], ["-bob"], ["bob", "lists"], ["bob", "--sender"]]) {
    const ended = await deliver(args, "text\n");
    assert.equal(ended.exitCode, 75, args.join(" "));
    assert.match(ended.stderr, /^popkeep: .*; see popkeep deliver --help\n$/);
  }
  const before = await popkeep(["--config", "x", "deliver", "bob"], { folder, input: "text\n" });
  assert.equal(before.exitCode, 75);
  const other = await popkeep(["user", "add", "--nonsense", "deliver"], { folder });
  assert.equal(other.exitCode, 64);
  assert.deepEqual(taken(`${folder}/mail/bob`), []);
});

test("help in the place of a delivery is told no success where a message may be there", async () => {
  for (const args of [["--help"], ["-h"], ["bob", "--help"]]) {
    const ended = await deliver(args, "text\n");
    assert.equal(ended.exitCode, 75);
    assert.match(ended.stdout, /^Usage: popkeep deliver /);
  }
  const words = [...popkeepCommand(), "deliver", "--help"];
  const child = spawn(words[0]!, words.slice(1), { stdio: "ignore" });
  assert.deepEqual(await once(child, "exit"), [0, null], "/dev/null brings no message");
  const atTerminal = await popkeepAtTerminal(["deliver", "--help"], { folder });
  assert.equal(atTerminal.exitCode, 0, atTerminal.screen);
});

test("a user name that begins like an option is one behind --", async () => {
  for (const user of ["-bob", "--help", "-h"]) {
    assert.equal((await deliver(["--", user], "text\n")).exitCode, 67);
  }
});

test("nobody is called unknown for good while a directory cannot be asked for names: 75", async () => {
  const directories = [
    '[[directories]]\nkind = "checkpassword"\nprogram = ["/bin/false"]\n',
    '[[directories]]\nkind = "ldap"\nurls = ["ldap://127.0.0.1:1"]\nmode = "direct"\n' +
    'direct_bind_name = "{user}"\nfilter = ""\n',
  ];
  try {
    for (const directory of directories) {
      const file = '[[directories]]\nkind = "user_file"\nfile = "users"\n';
      writeFileSync(`${folder}/popkeep.toml`, settings(`${directory}${file}`));
      const ended = await deliver(["carol"], "text\n");
      assert.equal(ended.exitCode, 75, ended.stderr);
      assert.match(ended.stderr, /^popkeep: no user carol is found, and \w+ cannot tell /);
      assert.equal((await deliver(["bob"], "text\n")).exitCode, 0);
      assert.equal(taken(`${folder}/mail/bob`).length, 1);
      assert.equal((await deliver(["a\x01b"], "text\n")).exitCode, 67, "can be nobody's name");
    }
  } finally {
    writeFileSync(`${folder}/popkeep.toml`, settings());
  }
});

test("there is no such user: 67, and nothing is made", async () => {
  for (const user of ["nobody", "../bob", "nobody+lists", "", "bo\x01b", "bob\nx"]) {
    const ended = await deliver([user], "text\n");
    assert.equal(ended.exitCode, 67, ended.stderr);
    // A mail system puts it into the bounce, and a stranger reads it.
    assert.equal(ended.stderr, "popkeep: there is no such user here\n", "no path, no name");
  }
  assert.ok(!readdirSync(`${folder}/mail`).includes("nobody"));
});

test("a message that is too long: 69, and nothing of it is left", async () => {
  writeFileSync(`${folder}/popkeep.toml`, settings('max_receive_size = "1KiB"\n'));
  try {
    const ended = await deliver(["bob"], "a".repeat(1_100));
    assert.equal(ended.exitCode, 69);
    assert.equal(ended.stderr, "popkeep: a message has at most 1024 octets here\n");
    assert.deepEqual(taken(`${folder}/mail/bob`), []);
  } finally {
    writeFileSync(`${folder}/popkeep.toml`, settings());
  }
});

test("whatever is not the message's fault is to be tried again: 75", async () => {
  const again = async (text: string, more?: Partial<RunOptions>) => {
    writeFileSync(`${folder}/popkeep.toml`, text);
    const ended = await deliver(["bob"], "text\n", more);
    assert.equal(ended.exitCode, 75, `${text}\n${ended.stderr}`);
    assert.match(ended.stderr, /^popkeep: /);
    assert.equal(ended.stdout, "");
  };
  try {
    await again("this is no TOML");
    await again(settings().replace("users", "no-such-file"));
    await again(settings().replace(`${folder}/mail/`, `${folder}/not-mounted/`));
    await again(
      settings('[[directories]]\nkind = "sql"\nurl = "sqlite:none"\nquery = "SELECT {user}"'),
    );
    await again(settings(), { unprivileged: true });
    await again(settings().replace('user = "root"', ""));
  } finally {
    writeFileSync(`${folder}/popkeep.toml`, settings());
  }
  assert.deepEqual(taken(`${folder}/mail/bob`), []);
});

test("what root makes in a home is its owner's, and the home itself is never made", {
  skip: process.getuid?.() === 0 ? false : "takes root, to make files of other users",
}, async () => {
  const text = settings().replace(`${folder}/mail/{user}`, "{home}/Maildir");
  writeFileSync(`${folder}/popkeep.toml`, text);
  const homes = `${folder}/homes`;
  const entry = (user: string) => `${user}:{PLAIN}x:::${user}:${homes}/${user}:\n`;
  writeFileSync(`${folder}/users`, `${entry("carol")}${entry("dave")}`);
  try {
    mkdirSync(`${homes}/carol`, { recursive: true });
    chownSync(`${homes}/carol`, 54_321, 54_322);
    assert.equal((await deliver(["carol"], "text\n")).exitCode, 0);
    for (
      const path of [
        "",
        "/new",
        "/cur",
        "/tmp",
        `/new/${readdirSync(`${homes}/carol/Maildir/new`)[0]}`,
      ]
    ) {
      const { uid, gid } = statSync(`${homes}/carol/Maildir${path}`);
      assert.deepEqual([uid, gid], [54_321, 54_322], path);
    }
    const ended = await deliver(["dave"], "text\n");
    assert.equal(ended.exitCode, 75);
    assert.match(ended.stderr, /homes\/dave" is not there/);
    assert.deepEqual(readdirSync(homes), ["carol"]);
  } finally {
    writeFileSync(`${folder}/users`, `alice@example.com:{PLAIN}x\nbob:{PLAIN}x\n`);
    writeFileSync(`${folder}/popkeep.toml`, settings());
  }
});

/** Starts a delivery that gets a part of a message, and calls `then` when that has begun to be written. */
async function begun(then: (child: ChildProcess) => void): Promise<unknown[]> {
  const words = [...popkeepCommand(), "deliver", "--config", `${folder}/popkeep.toml`, "bob"];
  const child = spawn(words[0]!, words.slice(1), { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin!.on("error", () => {});
  child.stdin!.write("Subject: part\n\n");
  const exit = once(child, "exit");
  const giveUpAtMs = performance.now() + 60_000;
  while (isEmpty(`${folder}/mail/bob/tmp`) && performance.now() < giveUpAtMs) await sleep(10);
  then(child);
  const killer = setTimeout(() => process.kill(child.pid!, "SIGKILL"), 60_000);
  const ended = await exit;
  clearTimeout(killer);
  return ended;
}

const isEmpty = (path: string) => !existsSync(path) || readdirSync(path).length === 0;

test("stopped by a signal it leaves nothing in tmp/, and is to be tried again", async () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    const ended = await begun((child) => process.kill(child.pid!, signal));
    assert.deepEqual(ended, [75, null], signal);
    assert.deepEqual(taken(`${folder}/mail/bob`), [], signal);
  }
});

test("a reader of what it says who is gone (SIGPIPE) keeps no message away", async () => {
  const ended = await begun((child) => {
    process.kill(child.pid!, "SIGPIPE");
    child.stdin!.end("body\n");
  });
  assert.deepEqual(ended, [0, null]);
  assert.deepEqual(taken(`${folder}/mail/bob`), [
    "Delivered-To: bob\nSubject: part\n\nbody\n",
  ]);
});

test("stopped by a signal while a directory does not answer it ends at once: 75", async () => {
  const { port, ...server } = await silentServer();
  const directory = `[[directories]]\nkind = "ldap"\nurls = ["ldap://127.0.0.1:${port}"]\n` +
    'base = "dc=example"\nfilter = "(uid={user})"\n';
  writeFileSync(`${folder}/popkeep.toml`, settings(directory));
  try {
    const words = [...popkeepCommand(), "deliver", "--config", `${folder}/popkeep.toml`, "bob"];
    const child = spawn(words[0]!, words.slice(1), { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr!.on("data", (chunk) => said += chunk);
    const closed = once(child, "close");
    await Promise.race([server.asked, closed]);
    process.kill(child.pid!, "SIGTERM");
    assert.deepEqual(await closed, [75, null], said);
    assert.equal(said, "popkeep: stopped by SIGTERM\n");
  } finally {
    server.close();
    writeFileSync(`${folder}/popkeep.toml`, settings());
  }
});

/** A server that takes connections and says nothing. */
async function silentServer() {
  const sockets: net.Socket[] = [];
  let wasAsked = () => {};
  const asked = new Promise<void>((resolve) => wasAsked = resolve);
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.once("data", wasAsked);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as net.AddressInfo).port, asked, close };
}
