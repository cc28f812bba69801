/**
 * mpop, which pipelines, downloads the demo mail.
 *
 * What mpop itself does to a message, and all that is allowed for here:
 * - Line ends become LF: mpop hands mail to a local delivery command, whose line ends are local.
 *
 * `received_header off` keeps it from adding a header (mpop(1)).
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testClient, withLocalLineEnds } from "../support/client_suite.ts";
import { run } from "../support/real_client.ts";

testClient({
  name: "mpop",
  commands: ["mpop"],
  ways: ["plain", "STLS", "TLS"],
  makes: (canonical) => canonical.map(withLocalLineEnds),
  async download({ server, folder, user, inbox, mode }) {
    const settings = [
      "account default",
      `host ${server.host}`,
      `port ${server.port}`,
      `user ${user}`,
      `password ${server.password}`,
      `auth ${server.way === "plain" ? "user" : "plain"}`,
      `tls ${server.way === "plain" ? "off" : "on"}`,
      `tls_starttls ${server.way === "STLS" ? "on" : "off"}`,
      `tls_trust_file ${server.certificateFile}`,
      `keep ${mode === "keep" ? "on" : "off"}`,
      "received_header off",
      `uidls_file ${join(folder, `${user}.uidls`)}`,
      `delivery mda "${inbox.deliver} ${inbox.folder}"`,
    ];
    const file = join(folder, "mpoprc");
    writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
    const ended = await run(folder, "mpop", `--file=${file}`, "--quiet");
    assert.equal(ended.code, 0, ended.output);
  },
});
