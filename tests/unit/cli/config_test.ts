import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-config-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** A folder with settings and users, and popkeep's `config` command in it. */
function setUp(settings: string, users = "alice:{PLAIN}a\n") {
  const folder = `${root}/${made++}`;
  mkdirSync(folder);
  writeFileSync(`${folder}/popkeep.toml`, settings);
  writeFileSync(`${folder}/users`, users, { mode: 0o600 });
  return { folder, config: (...args: string[]) => popkeep(["config", ...args], { folder }) };
}

test("check tells every fault on a line of its own and exits 78", async () => {
  const { config } = setUp('max_conections = 5\nlog_level = "loud"\nmaildir = "/mail"\n');
  const { exitCode, stdout, stderr } = await config("check");
  deepStrictEqual({ exitCode, stdout }, { exitCode: 78, stdout: "" });
  const lines = stderr.trimEnd().split("\n");
  deepStrictEqual(lines.map((line) => line.split(" found ")[0]), [
    "popkeep: popkeep.toml:1: max_conections:",
    "popkeep: popkeep.toml:2: log_level:",
    "popkeep: popkeep.toml:3: maildir:",
    "popkeep: popkeep.toml: ssl_bindings:",
  ]);
  ok(lines[0]?.endsWith("did you mean max_connections?"));
});

test("what is unwise is a warning and no failure", async () => {
  const { config, folder } = setUp(
    'ssl_bindings = []\nmax_command_size = 100\nlogin_type = "plaintext_login"\n',
    "bob:{MD5}x::::/home/bob::\n",
  );
  const { exitCode, stdout, stderr } = await config("check");
  strictEqual(exitCode, 0);
  strictEqual(stdout, `${folder}/popkeep.toml is usable; see the warnings.\n`);
  const lines = stderr.trimEnd().split("\n");
  deepStrictEqual(lines.map((line) => line.split(": ").slice(0, 3).join(": ")), [
    "popkeep: warning: max_command_size",
    "popkeep: warning: login_type",
    `popkeep: warning: ${folder}/users:1`,
  ]);
});

test("users whose every login would fail are warned of, each with the reason and not too many", async () => {
  const folders =
    'ssl_bindings = []\nlogin_type = "plaintext_login"\nunencrypted_or_tls_bindings = ["127.0.0.1:0"]\n';
  const warningsOf = async (maildir: string, users: string) => {
    const { config, folder } = setUp(`${folders}maildir = "${maildir}"\n`, users);
    const { exitCode, stdout, stderr } = await config("check");
    strictEqual(exitCode, 0);
    ok(stdout.endsWith("is usable; see the warnings.\n"), stdout);
    return stderr.replaceAll(folder, "").trimEnd().split("\n");
  };
  deepStrictEqual(await warningsOf("{home}/Maildir", "alice:{PLAIN}a\nbob:{PLAIN}b::::/b::\n"), [
    "popkeep: warning: maildir: alice would be refused with -ERR [SYS/PERM]: the setting maildir is " +
    "{home}/Maildir, and the user file names no home for this user",
  ]);
  deepStrictEqual(
    await warningsOf("/{domain}/{local}", "alice:{PLAIN}a\n@x:{PLAIN}b\nc@:{PLAIN}c\n"),
    [
      "popkeep: warning: maildir: alice would be refused with -ERR [SYS/PERM]: the setting maildir is " +
      "/{domain}/{local}, and the name has no @ with a domain after it",
      "popkeep: warning: maildir: @x would be refused with -ERR [SYS/PERM]: the setting maildir is " +
      "/{domain}/{local}, and the name has nothing before the @",
      "popkeep: warning: maildir: c@ would be refused with -ERR [SYS/PERM]: the setting maildir is " +
      "/{domain}/{local}, and the name has nothing after the @",
    ],
  );
  const many = Array.from({ length: 25 }, (_, n) => `u${n}:{PLAIN}x\n`).join("");
  const warnings = await warningsOf("{home}/Maildir", many);
  strictEqual(warnings.length, 11);
  strictEqual(
    warnings[10],
    "popkeep: warning: maildir: 15 more users would be refused for such a reason",
  );
});

test("users of whom there are none are warned of", async () => {
  const { stderr } = await setUp('ssl_bindings = []\nlogin_type = "plaintext_login"\n', "").config(
    "check",
  );
  ok(stderr.includes("user_file: there are no users"), stderr);
});

test("show prints the settings in force, and they read back as the same", async () => {
  const { config, folder } = setUp('ssl_bindings = []\nbanner = "hello"\n');
  const shown = await config("show");
  strictEqual(shown.exitCode, 0);
  ok(shown.stdout.includes('\nbanner = "hello"\n'));
  ok(shown.stdout.includes(`\nuser_file = "${folder}/users"\n`));
  const again = setUp(shown.stdout);
  strictEqual((await again.config("show")).stdout, shown.stdout);
  const json = JSON.parse((await config("show", "--json")).stdout);
  strictEqual(json.banner, "hello");
  strictEqual(json.authenticated_connection_timeout, "30m");
  deepStrictEqual(json.certificates, []);
});

test("reference prints docs/settings.md", async () => {
  const { config } = setUp("this is not looked at");
  const { exitCode, stdout } = await config("reference");
  strictEqual(exitCode, 0);
  const page = readFileSync(new URL("../../../docs/settings.md", import.meta.url), "utf8");
  ok(stdout === page, "docs/settings.md is not current; run: make docs");
});

test("a weak scheme that is none is a fault, and users of those that are named are not told", async () => {
  const settings = (schemes: string) =>
    'ssl_bindings = []\nlogin_type = "plaintext_login"\nmaildir = "mail/{user}"\n' +
    `unencrypted_or_tls_bindings = ["127.0.0.1:0"]\nweak_password_schemes = ${schemes}\n`;
  const check = async (schemes: string) => {
    const users = "dora:{SSHA}rp3DNX2dmLTYy92qItw30NWQZIqD7RuK\n";
    const { config, folder } = setUp(settings(schemes), users);
    mkdirSync(`${folder}/mail`);
    const { stderr, exitCode } = await config("check");
    return { stderr: stderr.replaceAll(`${folder}/`, ""), exitCode };
  };
  deepStrictEqual(await check('["ssha"]'), { stderr: "", exitCode: 0 });
  deepStrictEqual(await check('["ssha", "SHA512"]'), {
    stderr: "popkeep: popkeep.toml:5: weak_password_schemes: there is no weak scheme SHA512; " +
      "allowed are MD5-CRYPT, SSHA, SHA, SMD5, MD5, PLAIN-MD4, NTLM, CRAM-MD5\n",
    exitCode: 78,
  });
});

test("a user whose mail is in another format than Maildir is told", async () => {
  const { config } = setUp(
    'ssl_bindings = []\nmaildir = "/mail/{user}"\n',
    "dora:{PLAIN}x::::::userdb_mail=mbox:~/mail\n",
  );
  const { stderr } = await config("check");
  ok(
    stderr.includes(
      "maildir: dora would be refused with -ERR [SYS/PERM]: userdb_mail names the format mbox, and " +
        "only maildir is served\n",
    ),
    stderr,
  );
});

test("users without a domain are told where default_domain gives every name one", async () => {
  const told = async (domain: string, users: readonly string[]) => {
    const { config, folder } = setUp(
      `ssl_bindings = []\nmaildir = "mail/{user}"\ndefault_domain = "${domain}"\n`,
      users.map((user) => `${user}:{PLAIN}x\n`).join(""),
    );
    const texts = [await config("check"), await popkeep(["user", "list"], { folder })]
      .map(({ stderr }) => /^popkeep: warning: default_domain: (.*)$/m.exec(stderr)?.[1]);
    strictEqual(texts[0], texts[1], "config check and user list say the same");
    return texts[0];
  };
  const sentence = (who: string) =>
    `${who} no domain in the user file and cannot log in, as every name that is sent without one ` +
    "gets @example.com: ";
  strictEqual(
    await told("example.com", ["alice@example.com", "bob"]),
    `${sentence("1 user has")}bob`,
  );
  const dozen = Array.from({ length: 12 }, (_, at) => `user${at}`);
  strictEqual(
    await told("example.com", dozen),
    `${sentence("12 users have")}${dozen.slice(0, 10).join(", ")} and 2 more`,
  );
  strictEqual(await told("example.com", ["alice@example.com"]), undefined);
  strictEqual(await told("", ["bob"]), undefined);
});
