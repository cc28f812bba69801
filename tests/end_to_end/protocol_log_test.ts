/** The protocol log: a line a command, in Exchange's form, in files that an operator can move away. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { test } from "node:test";
import { type RunningServer, startServer } from "../support/server.ts";
import { logged } from "./server_log.ts";

async function withServer(
  settings: string,
  run: (server: RunningServer, folder: string) => Promise<void>,
): Promise<void> {
  const server = await startServer({
    users: ["alice"],
    settings: `login_type = "plaintext_login"\n${settings}`,
  });
  try {
    await run(server, `${server.folder}/log`);
  } finally {
    await server.stop();
  }
}

/** The lines of a file's sessions, without those of connections that only tried whether we listen. */
function commandLines(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").slice(0, -1)
    .filter((line) => !line.startsWith("#") && !/OpenSession|CloseSession/.test(line));
}

async function oneSession(server: RunningServer): Promise<void> {
  const since = server.log.length;
  const client = await server.login("alice");
  await client.ok("STAT");
  await client.err("XYZZY now");
  await client.quit();
  await logged(server, { since, message: "session ended", reason: "quit" });
}

test("each command has a line with its response, sizes and user", () =>
  withServer("protocol_log = true", async (server, folder) => {
    server.maildir("alice").deliver('Subject: a, "b"\n\nbody\n');
    await oneSession(server);
    await server.halt();
    const [file, ...others] = readdirSync(folder);
    assert.deepEqual(others, []);
    assert.match(file!, /^pop3-\d{4}-\d\d-\d\d\.log$/);
    const text = readFileSync(`${folder}/${file}`, "utf8");
    assert.match(
      text,
      /^#Software: popkeep\n#Version: .*\n#Log-type: POP3 Log\n#Date: .*\n#Fields: dateTime,/,
    );
    const lines = commandLines(`${folder}/${file}`).map((line) => line.split(","));
    assert.deepEqual(
      lines.map((fields) => fields.slice(5, 6).concat(fields.slice(7))),
      [
        ["", "12", "33", "USER", "alice", "R=+OK send the password with PASS"],
        ["alice", "13", "15", "PASS", "*****", "R=+OK 1 message"],
        ["alice", "6", "10", "STAT", "", "R=+OK 1 22"],
        ["alice", "11", "22", "(unknown)", "*****", "R=-ERR unknown command"],
        ["alice", "6", "17", "QUIT", "", "R=+OK signing off"],
      ],
    );
    const sequence = lines.map((fields) => Number(fields[2]));
    assert.deepEqual(sequence, [1, 2, 3, 4, 5], "the greeting was number 0");
    assert.equal(lines[0]?.[3], `127.0.0.1:${server.plainPort}`);
    assert.match(lines[0]?.[4] ?? "", /^127\.0\.0\.1:\d+$/);
  }));

test("without the setting there is no file", () =>
  withServer("", async (server, folder) => {
    await oneSession(server);
    await server.halt();
    assert.equal(existsSync(folder), false);
  }));

test("a file that is full is followed by another, and none is written over", () =>
  withServer(
    'protocol_log = true\nlog_per_file_size_quota = "1KiB"\nlog_file_roll_over_settings = "monthly"',
    async (server, folder) => {
      for (let session = 0; session < 5; session++) await oneSession(server);
      await server.halt();
      const files = readdirSync(folder);
      assert.ok(files.length > 2, files.join(" "));
      for (const file of files) {
        assert.match(file, /^pop3-\d{4}-\d\d(?:-\d+)?\.log$/);
        const text = readFileSync(`${folder}/${file}`, "utf8");
        assert.ok(text.length <= 1_024, `${file} has ${text.length} octets`);
        assert.ok(text.startsWith("#Software"));
      }
      assert.equal(files.flatMap((file) => commandLines(`${folder}/${file}`)).length, 25);
    },
  ));

test("a file that was moved away is begun anew after SIGHUP", () =>
  withServer("protocol_log = true", async (server, folder) => {
    await oneSession(server);
    const [file] = readdirSync(folder);
    renameSync(`${folder}/${file}`, `${folder}/moved`);
    const since = server.log.length;
    server.signal("SIGHUP");
    await logged(server, { since, message: "reloaded" });
    await oneSession(server);
    await server.halt();
    assert.equal(commandLines(`${folder}/moved`).length, 5);
    assert.equal(commandLines(`${folder}/${file}`).length, 5);
  }));

test("a folder that cannot be had costs the protocol log and no session", () =>
  withServer('protocol_log = true\nlog_file_location = "/proc/popkeep"', async (server) => {
    await oneSession(server);
    await oneSession(server);
    await logged(server, { since: 0, message: "the protocol log cannot be written" });
  }));
