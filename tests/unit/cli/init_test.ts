import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-init-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

const FILES = ["certificate.pem", "key.pem", "popkeep.toml", "users"];

function newFolder(): string {
  const folder = `${root}/${made++}`;
  mkdirSync(folder);
  return folder;
}

function init(folder: string, ...args: string[]) {
  return popkeep(["init", ...args, "--password-stdin"], { folder, input: "correct horse\n" });
}

test("init makes all that serving needs, and it works", async () => {
  const folder = newFolder();
  const { exitCode, stdout, stderr } = await init(folder, "pop", "--user", "alice@example.com");
  deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
  deepStrictEqual(readdirSync(`${folder}/pop`).sort(), [...FILES, "mail"].sort());
  strictEqual(statSync(`${folder}/pop/mail`).mode & 0o777, 0o700);
  ok(stdout.includes("popkeep serve --config pop/popkeep.toml"));

  const config = ["--config", "pop/popkeep.toml"];
  const check = await popkeep(["config", "check", ...config], { folder });
  deepStrictEqual(check, {
    exitCode: 0,
    stdout: `${folder}/pop/popkeep.toml is good.\n`,
    stderr: "",
  });
  const login = await popkeep(
    ["user", "test", "alice@example.com", "--password-stdin", ...config],
    { folder, input: "correct horse" },
  );
  strictEqual(login.exitCode, 0, login.stderr);
  ok(login.stdout.includes(`${folder}/pop/mail/alice@example.com.`), login.stdout);
});

test("secrets are for their owner alone", async () => {
  const folder = newFolder();
  await init(folder, "--user", "alice");
  for (const file of ["users", "key.pem"]) {
    strictEqual(statSync(`${folder}/${file}`).mode & 0o777, 0o600, file);
  }
  ok(!readFileSync(`${folder}/users`, "utf8").includes("correct horse"));
});

test("certificate and key end with a line's end, so that one file can stand behind the other", async () => {
  const folder = newFolder();
  await init(folder, "--user", "alice");
  for (const file of ["certificate.pem", "key.pem"]) {
    const text = readFileSync(`${folder}/${file}`, "utf8");
    match(text, /^-----BEGIN [A-Z ]+-----\n(?:[\w+/=]+\n)+-----END [A-Z ]+-----\n$/);
  }
});

test("root is told to give the user whom popkeep becomes all that only root may read", {
  skip: process.geteuid?.() === 0 ? false : "takes root",
}, async () => {
  const { stdout } = await init(newFolder(), "pop", "--user", "alice");
  match(
    stdout,
    /\n {4}give that user what is root's now: chown USER pop\/users pop\/key\.pem pop\/mail\n/,
  );
});

test("the certificate is for the server's name and for this machine", async () => {
  const folder = newFolder();
  await init(folder, "--user", "alice", "--server-name", "mail.example.com");
  const certificate = new X509Certificate(readFileSync(`${folder}/certificate.pem`));
  for (const name of ["mail.example.com", "localhost"]) {
    strictEqual(certificate.checkHost(name), name);
  }
  for (const address of ["127.0.0.1", "::1"]) strictEqual(certificate.checkIP(address), address);
  strictEqual(certificate.checkHost("example.com"), undefined);
  const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000;
  ok(days > 365 && days <= 825, `${days} days`);
  ok(readFileSync(`${folder}/popkeep.toml`, "utf8").includes('server_name = "mail.example.com"'));
});

test("whatever file is there already, nothing is written and nothing is asked", async () => {
  for (const name of FILES) {
    const folder = newFolder();
    writeFileSync(`${folder}/${name}`, "mine");
    const { exitCode, stdout, stderr } = await init(folder, "--user", "alice");
    deepStrictEqual({ exitCode, stdout }, { exitCode: 73, stdout: "" }, name);
    strictEqual(stderr, `popkeep: ${name} exists already; nothing was written\n`);
    deepStrictEqual(readdirSync(folder), [name]);
    strictEqual(readFileSync(`${folder}/${name}`, "utf8"), "mine");
  }
});

test("a link that leads nowhere is not written through", async () => {
  const folder = newFolder();
  symlinkSync(`${folder}/elsewhere`, `${folder}/key.pem`);
  strictEqual((await init(folder, "--user", "alice")).exitCode, 73);
  deepStrictEqual(readdirSync(folder), ["key.pem"]);
});

test("a password or a name that cannot be leaves nothing behind", async () => {
  const folder = newFolder();
  const empty = await popkeep(["init", "--user", "alice", "--password-stdin"], { folder });
  strictEqual(empty.exitCode, 65);
  strictEqual((await init(folder, "--user", "../alice")).exitCode, 65);
  strictEqual((await init(folder, "--user", "alice", "--server-name", "no name")).exitCode, 64);
  strictEqual((await init(folder, "--user", "alice", "--scheme", "MD5")).exitCode, 64);
  strictEqual((await init(folder, "a/b", "--user", "alice", "--scheme", "MD5")).exitCode, 64);
  strictEqual((await init(folder, "a/b", "--user", "../alice")).exitCode, 65);
  deepStrictEqual(readdirSync(folder), []);
});

test("--user and --no-user together are refused, in either order", async () => {
  const folder = newFolder();
  for (const both of [["--user", "alice", "--no-user"], ["--no-user", "--user", "alice"]]) {
    const { exitCode, stderr } = await init(folder, ...both);
    strictEqual(exitCode, 64);
    strictEqual(stderr, "popkeep: --user and --no-user contradict each other\n");
  }
  deepStrictEqual(readdirSync(folder), []);
});

test("a folder for mail that is there already is taken as it is", async () => {
  const folder = newFolder();
  mkdirSync(`${folder}/mail/alice`, { recursive: true });
  chmodSync(`${folder}/mail`, 0o750);
  strictEqual((await init(folder, "--user", "alice")).exitCode, 0);
  strictEqual(statSync(`${folder}/mail`).mode & 0o777, 0o750);
});

test("without a terminal and without --password-stdin there is nobody to ask", async () => {
  const folder = newFolder();
  const { exitCode, stderr } = await popkeep(["init", "--user", "alice"], { folder });
  strictEqual(exitCode, 64);
  ok(stderr.includes("--password-stdin"), stderr);
  deepStrictEqual(readdirSync(folder), []);
});

test("--no-user makes an empty user file", async () => {
  const folder = newFolder();
  const { exitCode, stdout } = await popkeep(["init", "--no-user"], { folder });
  strictEqual(exitCode, 0);
  strictEqual(readFileSync(`${folder}/users`, "utf8"), "");
  ok(stdout.includes("popkeep user add"));
});

test("a folder that cannot be made is told", async () => {
  const folder = newFolder();
  writeFileSync(`${folder}/file`, "");
  const { exitCode, stderr } = await init(folder, "file/pop", "--user", "alice");
  strictEqual(exitCode, 73);
  ok(stderr.startsWith("popkeep: files cannot be made in file/pop: "), stderr);
});
