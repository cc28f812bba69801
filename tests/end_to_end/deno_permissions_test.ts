/**
 * popkeep under Deno with the permissions that docs/running.md names, and no others: a session works, and
 * what lies outside is refused by the runtime. The flags are read from that page.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { twoFreePorts } from "../support/free_port.ts";
import { PASSWORD, RunningServer, writeCertificate } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const deno = "Deno" in globalThis ? process.execPath : process.env["DENO"] ?? "";
const skip = deno === "" ? "there is no Deno here" : false;

/** The command of the page as words, with the places of a test in the place of its own. */
function flags(places: Readonly<Record<string, string>>): string[] {
  const page = readFileSync(`${project}docs/running.md`, "utf8");
  const command = /^deno run [^]*? main\.ts serve/m.exec(page)?.[0];
  assert.ok(command !== undefined, "the page has the command");
  const words = command.replace(/\\\n/g, " ").split(/\s+/).slice(1, -2);
  return words.map((word) =>
    Object.entries(places).reduce((word, [from, to]) => word.replaceAll(from, to), word)
  );
}

/** What `popkeep user` makes of PASSWORD, at a twentieth of its cost: checked by a thread, whose file is read. */
const HASHED =
  "{ARGON2ID}$argon2id$v=19$m=4096,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$uOjdlTaIaPIbjbXDu/A+Z68LqK8PJ60Yk89bBO6s7WA";

interface Confined {
  readonly server: RunningServer;
  readonly base: string;
}

async function withPermissions(work: (confined: Confined) => Promise<void>): Promise<void> {
  const base = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-deno-`));
  const folder = `${base}/settings`;
  for (const name of [folder, `${base}/mail`, `${base}/state`]) mkdirSync(name);
  await writeCertificate(folder);
  const users = ["alice", "outside"].map((user) =>
    `${user}:${HASHED}::::${base}/${user === "alice" ? "mail" : "elsewhere"}/${user}::\n`
  );
  writeFileSync(`${folder}/users`, users.join(""), { mode: 0o600 });
  const ports = await twoFreePorts();
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:${ports[0]}"]
ssl_bindings = ["127.0.0.1:${ports[1]}"]
login_type = "plaintext_login"
user = "root"
state_folder = "${base}/state"
[[certificates]]
certificate_file = "certificate.pem"
key_file = "key.pem"
`,
  );
  const words = flags({
    "/var/vmail": `${base}/mail`,
    "/etc/popkeep": folder,
    "/var/lib/popkeep": `${base}/state`,
    "0.0.0.0:110": `127.0.0.1:${ports[0]}`,
    "0.0.0.0:995": `127.0.0.1:${ports[1]}`,
  });
  const child = spawn(
    deno,
    [...words, "--no-prompt", "main.ts", "serve", "--config", `${folder}/popkeep.toml`],
    { stdio: ["ignore", "pipe", "pipe"], cwd: project },
  );
  const server = new RunningServer(base, ports, child);
  try {
    await server.untilLogged(/"ready"/);
    await work({ server, base });
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
    assert.equal(await server.halt(), 0);
  } finally {
    await server.stop();
  }
}

test(
  "a whole session works with the permissions that the page names",
  { skip },
  () =>
    withPermissions(async ({ server, base }) => {
      const maildir = new TestMaildir(`${base}/mail/alice/Maildir`);
      maildir.deliver("Subject: one\n\nthe body\n");
      maildir.deliver("Subject: two\n\nthe body\n");
      for (const tls of [false, true]) {
        const client = await server.login("alice", { tls });
        await client.listing("UIDL");
        assert.ok((await client.retrieve("RETR 1")).includes("the body"));
        await client.ok("DELE 1");
        await client.quit();
      }
      const since = server.log.length;
      server.signal("SIGHUP");
      while (!server.log.slice(since).includes('"reloaded"')) {
        assert.ok(!server.log.slice(since).includes("not reloaded"), server.log);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(!/cannot be written|is forgotten/.test(server.log), server.log);
    }),
);

test(
  "mail in another place is refused by the runtime",
  { skip },
  () =>
    withPermissions(async ({ server, base }) => {
      new TestMaildir(`${base}/elsewhere/outside/Maildir`).deliver("Subject: one\n\nbody\n");
      const client = await server.connect();
      await client.ok("USER outside");
      assert.match((await client.err(`PASS ${PASSWORD}`)).line, /^-ERR \[SYS\//);
      await client.quit();
      assert.match(server.log, /Requires read access to/);
    }),
);

test("with these permissions neither other files nor other hosts are to be had", { skip }, () => {
  const places = flags({});
  for (
    const code of [
      'Deno.readTextFileSync("/etc/passwd")',
      'await Deno.connect({ hostname: "127.0.0.1", port: 9 })',
      'new Deno.Command("/bin/true").outputSync()',
      'Deno.writeTextFileSync("/etc/popkeep/users", "")',
    ]
  ) {
    const { status, stderr } = spawnSync(
      deno,
      [...places, "--no-prompt", "-"],
      { input: code, encoding: "utf8", cwd: project },
    );
    assert.notEqual(status, 0, code);
    assert.match(stderr, /NotCapable: Requires (?:read|net|run|write) access/, code);
  }
});
