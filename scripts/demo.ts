/**
 * `make run`: popkeep on the loopback address with a copy of the demo mail, and what to type to read it.
 *
 *   POPKEEP_DEMO_PORT       plain and STLS, 1110 unless set
 *   POPKEEP_DEMO_TLS_PORT   TLS from the first octet, 1995 unless set
 *
 * Everything it makes stands in one temporary folder, which is gone when it stops; `maildirs/` is only
 * read. Passwords may cross the wire in plain here, since the wire does not leave the machine.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";

const HOST = "127.0.0.1";
const USERS = ["alice", "bob", "carol"];
const PASSWORD = "demo";

const project = fileURLToPath(new URL("..", import.meta.url));

interface Ports {
  readonly plain: number;
  readonly tls: number;
}

/** What is said when the demo cannot start; not a fault of the program. */
class CannotStart extends Error {}

function portFrom(variable: string, usual: number): number {
  const text = process.env[variable] || String(usual);
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new CannotStart(`${variable} is "${text}"; it has to be a port, 1 to 65535.`);
}

async function assertFree(port: number): Promise<void> {
  const server = net.createServer();
  server.listen(port, HOST);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE"
      ? "is in use"
      : code === "EACCES"
      ? "is not open to this user"
      : `cannot be used (${code})`;
    throw new CannotStart(
      `Port ${port} of ${HOST} ${why}. Free it, or choose others: ` +
        "POPKEEP_DEMO_PORT=2110 POPKEEP_DEMO_TLS_PORT=2995 make run",
    );
  }
  await new Promise((resolve) => server.close(resolve));
}

/** Copies the mail and writes settings, users and a certificate into the folder. */
async function prepare(folder: string, ports: Ports): Promise<void> {
  for (const user of USERS) {
    cpSync(join(project, "maildirs", user), join(folder, user), { recursive: true });
  }
  const users = USERS.map((user) => `${user}:{PLAIN}${PASSWORD}::::${join(folder, user)}::\n`);
  writeFileSync(join(folder, "users"), users.join(""), { mode: 0o600 });
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{
      name: "subjectAltName",
      altNames: [{ type: 2, value: "localhost" }, { type: 7, ip: HOST }],
    }],
  });
  writeFileSync(join(folder, "certificate.pem"), made.cert);
  writeFileSync(join(folder, "key.pem"), made.private, { mode: 0o600 });
  writeFileSync(
    join(folder, "popkeep.toml"),
    `server_name = "localhost"
unencrypted_or_tls_bindings = ["${HOST}:${ports.plain}"]
ssl_bindings = ["${HOST}:${ports.tls}"]
login_type = "plaintext_login"
user_file = "users"
maildir = "{home}"
user = "root"
shutdown_grace_period = "1s"
log_format = "text"

[[certificates]]
certificate_file = "certificate.pem"
key_file = "key.pem"
`,
  );
}

function startPopkeep(folder: string): ChildProcess {
  const main = join(project, "main.ts");
  const before = "Deno" in globalThis ? ["run", "-A", "--no-check", main] : [main];
  const settings = join(folder, "popkeep.toml");
  return spawn(process.execPath, [...before, "serve", "--config", settings], {
    stdio: ["ignore", "inherit", "pipe"],
    // A group of its own: Ctrl-C comes to us alone, and we tell popkeep to stop, once.
    detached: true,
  });
}

/** Passes on what popkeep logs; true when that says it takes connections, false when it has ended. */
function isReady(popkeep: ChildProcess): Promise<boolean> {
  const log = popkeep.stderr!.setEncoding("utf8");
  let said = "";
  return new Promise((resolve) => {
    log.on("data", (text: string) => {
      process.stderr.write(text);
      said = (said + text).slice(-1000);
      if (/\bready\b/.test(said)) resolve(true);
    });
    popkeep.once("close", () => resolve(false));
  });
}

const instructions = (folder: string, { plain, tls }: Ports) => `
popkeep serves a copy of the demo mail. What you delete is gone from the copy only.

  Users         ${USERS.join(", ")}; the password of each is ${PASSWORD}
  Plain, STLS   ${HOST}, port ${plain}
  TLS           ${HOST}, port ${tls}
  The copy      ${folder}

With curl: the list of messages, a message, the same by STLS, the same under TLS

  curl --user alice:${PASSWORD} pop3://${HOST}:${plain}/
  curl --user alice:${PASSWORD} pop3://${HOST}:${plain}/1
  curl --user bob:${PASSWORD} --ssl-reqd --cacert ${folder}/certificate.pem pop3://${HOST}:${plain}/1
  curl --user carol:${PASSWORD} --cacert ${folder}/certificate.pem pop3s://${HOST}:${tls}/1

With Thunderbird: add a mail account for alice@localhost, password ${PASSWORD}, "Configure manually"

  Protocol               POP3
  Hostname               ${HOST}
  Port                   ${tls}         (or ${plain})
  Connection security    SSL/TLS      (or STARTTLS, or None)
  Authentication method  Normal password
  Username               alice
  Outgoing server        popkeep sends no mail; any name will do

  Thunderbird warns of the certificate, which nobody has signed: confirm the exception.

By hand

  openssl s_client -quiet -crlf -connect ${HOST}:${tls} 2>/dev/null

Ctrl-C stops it and removes the copy.
`;

async function demo(): Promise<void> {
  const ports = {
    plain: portFrom("POPKEEP_DEMO_PORT", 1110),
    tls: portFrom("POPKEEP_DEMO_TLS_PORT", 1995),
  };
  for (const port of [ports.plain, ports.tls]) await assertFree(port);
  const folder = mkdtempSync(join(tmpdir(), "popkeep-demo-"));
  try {
    await prepare(folder, ports);
    const popkeep = startPopkeep(folder);
    const gone = once(popkeep, "exit");
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        // Asked twice, it does not wait for sessions to end.
        popkeep.kill(asked ? "SIGKILL" : "SIGTERM");
        asked = true;
      });
    }
    if (await isReady(popkeep)) console.log(instructions(folder, ports));
    await gone;
    if (!asked) throw new CannotStart("popkeep has ended by itself; what it said stands above.");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await demo();
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
