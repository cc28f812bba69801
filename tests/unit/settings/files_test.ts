import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { after, test } from "node:test";
import {
  type Fault,
  loadSettings,
  type Settings,
  settingsWarnings,
} from "../../../src/settings.ts";
import { anotherKey, testCertificate } from "../../support/certificate.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-settings-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** A folder with users, certificate and key, and settings that name them. */
async function setUp(settings = "") {
  const folder = `${root}/${made++}`;
  mkdirSync(folder);
  const { certificate, key } = await testCertificate();
  writeFileSync(`${folder}/users`, "", { mode: 0o600 });
  writeFileSync(`${folder}/certificate.pem`, certificate);
  writeFileSync(`${folder}/key.pem`, key, { mode: 0o600 });
  writeFileSync(
    `${folder}/popkeep.toml`,
    `${settings}
[[certificates]]
certificate_file = "certificate.pem"
key_file = "key.pem"
`,
  );
  const file = (name: string) => `${folder}/${name}`;
  return { file, load: () => loadSettings(file("popkeep.toml")) };
}

function onlyFault(result: Settings | Fault[]): Fault {
  ok(Array.isArray(result) && result.length === 1, JSON.stringify(result));
  return result[0] as Fault;
}

function good(result: Settings | Fault[]): Settings {
  ok(!Array.isArray(result), JSON.stringify(result));
  return result;
}

function warningKeys(result: Settings | Fault[], nowMs?: number): string[] {
  return settingsWarnings(good(result), nowMs).map(({ key }) => key);
}

test("a certificate with its key is accepted, and nothing is to be warned of", async () => {
  const { load } = await setUp();
  deepStrictEqual(warningKeys(load()), []);
});

test("the key of another certificate is a fault on the key's line", async () => {
  const { file, load } = await setUp();
  writeFileSync(file("key.pem"), anotherKey());
  const fault = onlyFault(load());
  strictEqual(fault.key, "certificates[0].key_file");
  strictEqual(fault.line, 4);
  ok(fault.found.includes("another certificate"));
});

test("files that are missing or hold no PEM are told, both of them", async () => {
  const { file, load } = await setUp();
  rmSync(file("certificate.pem"));
  writeFileSync(file("key.pem"), "no key\n");
  const faults = load();
  ok(Array.isArray(faults));
  deepStrictEqual(faults.map(({ key, line, found }) => ({ key, line, found })), [
    {
      key: "certificates[0].certificate_file",
      line: 3,
      found: `${file("certificate.pem")}, which does not exist`,
    },
    { key: "certificates[0].key_file", line: 4, found: `no private key in ${file("key.pem")}` },
  ]);
});

test("an encrypted key is a fault that asks for one that is not", async () => {
  const { file, load } = await setUp();
  writeFileSync(file("key.pem"), anotherKey("secret"));
  ok(onlyFault(load()).allowed.includes("not encrypted"));
});

test("a user file that is not there is a fault that says how to make one", async () => {
  const { file, load } = await setUp();
  rmSync(file("users"));
  const fault = onlyFault(load());
  strictEqual(fault.key, "user_file");
  ok(fault.allowed.includes("popkeep user add"));
});

test("for commands that need neither, files are not looked at", async () => {
  const { file } = await setUp();
  rmSync(file("users"));
  rmSync(file("key.pem"));
  good(loadSettings(file("popkeep.toml"), { checkFiles: false }));
});

test("a key that everybody can read is warned of", async () => {
  const { file, load } = await setUp();
  chmodSync(file("key.pem"), 0o644);
  deepStrictEqual(warningKeys(load()), ["certificates[0].key_file"]);
});

test("a certificate is warned of when its end is two weeks away, and after it", async () => {
  const { load } = await setUp();
  const endsMs = (await testCertificate()).ends.getTime();
  const dayMs = 86_400_000;
  deepStrictEqual(warningKeys(load(), endsMs - 15 * dayMs), []);
  deepStrictEqual(warningKeys(load(), endsMs - 13 * dayMs), ["certificates[0].certificate_file"]);
  deepStrictEqual(warningKeys(load(), endsMs + dayMs), ["certificates[0].certificate_file"]);
});

test("a server name that no certificate is for is warned of", async () => {
  const other = await setUp('server_name = "mail.example.com"');
  deepStrictEqual(warningKeys(other.load()), ["server_name"]);
  const own = await setUp('server_name = "localhost"');
  deepStrictEqual(warningKeys(own.load()), []);
});

test("more workers than processors are warned of", async () => {
  const processors = Math.min(availableParallelism(), 63);
  const warnings = async (workers: string) =>
    warningKeys((await setUp(`workers = ${workers}`)).load());
  deepStrictEqual(await warnings(String(processors)), []);
  deepStrictEqual(await warnings('"auto"'), []);
  deepStrictEqual(await warnings(String(processors + 1)), ["workers"]);
});

test("a command line shorter than RFC 2449 asks for is warned of", async () => {
  deepStrictEqual(warningKeys((await setUp("max_command_size = 254")).load()), [
    "max_command_size",
  ]);
  deepStrictEqual(warningKeys((await setUp("max_command_size = 255")).load()), []);
});

test("a timeout shorter than RFC 1939 asks for is warned of", async () => {
  const short = await setUp('authenticated_connection_timeout = "9m59s"');
  deepStrictEqual(warningKeys(short.load()), ["authenticated_connection_timeout"]);
  const enough = await setUp('authenticated_connection_timeout = "10m"');
  deepStrictEqual(warningKeys(enough.load()), []);
});

test("passwords without TLS are warned of unless they stay on the machine", async () => {
  for (const type of ["plaintext_login", "plaintext_authentication"]) {
    const open = await setUp(`login_type = "${type}"`);
    deepStrictEqual(warningKeys(open.load()), ["login_type"]);
    const inside = await setUp(
      `login_type = "${type}"\nunencrypted_or_tls_bindings = ["127.0.0.1:110", "[::1]:110"]`,
    );
    deepStrictEqual(warningKeys(inside.load()), []);
  }
});

test("a server where nobody can log in for want of a certificate is warned of", async () => {
  const { file, load } = await setUp();
  writeFileSync(file("popkeep.toml"), "ssl_bindings = []\n");
  deepStrictEqual(warningKeys(load()), ["certificates"]);
});

test("caches larger than the machine's memory are warned of, those of all workers together", async () => {
  const half = Math.floor(totalmem() / 2) + 1;
  const one = await setUp(`mailbox_cache_size = ${half}`);
  deepStrictEqual(warningKeys(one.load()), []);
  const two = await setUp(`mailbox_cache_size = ${half}\nworkers = 2`);
  deepStrictEqual(warningKeys(two.load()).filter((key) => key !== "workers"), [
    "mailbox_cache_size",
  ]);
});

test("a user file that every user of the machine can read or change is warned of", async () => {
  const { file, load } = await setUp();
  for (const [mode, doing] of [[0o644, "read"], [0o602, "change"], [0o606, "read and change"]]) {
    chmodSync(file("users"), mode as number);
    const [warning, ...others] = settingsWarnings(good(load()));
    deepStrictEqual([warning?.key, others], ["user_file", []]);
    ok(warning?.message.startsWith(`every user of this machine can ${doing} ${file("users")}`));
  }
  chmodSync(file("users"), 0o660);
  deepStrictEqual(warningKeys(load()), []);
});

test("files that say who is let in are warned of when every user of the machine can change them", async () => {
  const { file } = await setUp(`
client_certificate_authorities = "authorities.pem"
client_certificate_revocation_lists = ["revoked.pem"]
oauth_jwks = "keys.json"
oauth_audience = ["pop"]
[[directories]]
kind = "checkpassword"
program = ["${root}/${made}/check", "x"]
`);
  const { certificate } = await testCertificate();
  const names = ["popkeep.toml", "authorities.pem", "revoked.pem", "keys.json", "check"];
  for (const name of names.slice(1)) writeFileSync(file(name), certificate, { mode: 0o755 });
  const settings = () => good(loadSettings(file("popkeep.toml"), { checkFiles: false }));
  for (const mode of [0o755, 0o775]) {
    for (const name of [...names, "certificate.pem"]) chmodSync(file(name), mode);
    deepStrictEqual(warningKeys(settings()), []);
  }
  for (const name of [...names, "certificate.pem"]) chmodSync(file(name), 0o757);
  deepStrictEqual(warningKeys(settings()), [
    "settings",
    "client_certificate_authorities",
    "client_certificate_revocation_lists[0]",
    "oauth_jwks",
    "directories[0].program",
    "certificates[0].certificate_file",
  ]);
  const [first] = settingsWarnings(settings());
  strictEqual(
    first?.message,
    `every user of this machine can change ${file("popkeep.toml")}; chmod o-w it`,
  );
});

test("a folder of all mail that is not there is warned of, since every login would fail", async () => {
  const { file, load } = await setUp('maildir = "mail/{domain}/{local}"');
  deepStrictEqual(warningKeys(load()), ["maildir"]);
  writeFileSync(file("mail"), "");
  deepStrictEqual(warningKeys(load()), ["maildir"]);
  rmSync(file("mail"));
  mkdirSync(file("mail"));
  deepStrictEqual(warningKeys(load()), []);
});

test("a folder for logs that files cannot be made in is warned of when it is used", async () => {
  const bad = 'log_file_location = "popkeep.toml/log"';
  deepStrictEqual(warningKeys((await setUp(bad)).load()), []);
  deepStrictEqual(warningKeys((await setUp(`protocol_log = true\n${bad}`)).load()), [
    "log_file_location",
  ]);
  deepStrictEqual(warningKeys((await setUp("protocol_log = true")).load()), []);
});

test("an encrypted key is called so, and the fault says how to make one that is not", async () => {
  const { file, load } = await setUp();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  for (const type of ["pkcs8", "sec1"] as const) {
    const pem = privateKey.export({ type, format: "pem", cipher: "aes-256-cbc", passphrase: "x" });
    writeFileSync(file("key.pem"), pem);
    const fault = onlyFault(load());
    ok(fault.found.includes("encrypted with a passphrase"), fault.found);
    ok(fault.allowed.includes("openssl pkey"), fault.allowed);
  }
});
