/**
 * Python's poplib downloads the demo mail.
 *
 * poplib gives a message as a list of lines without their CRLF; put together again with CRLF they have
 * to be the message. Nothing else is allowed for, but that its limit on lines is raised (see the script).
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testClient } from "../support/client_suite.ts";
import { run } from "../support/real_client.ts";

const SCRIPT = fileURLToPath(new URL("./poplib_client.py", import.meta.url));

testClient({
  name: "poplib",
  commands: ["python3"],
  ways: ["plain", "STLS", "TLS"],
  makes: (canonical) => [...canonical],
  async download({ server, folder, user, inbox, mode }) {
    const { way, host, port, certificateFile, password } = server;
    const seen = join(folder, `${user}.seen`);
    const arguments_ = [way, host, String(port), certificateFile, user, password];
    const ended = await run(folder, "python3", SCRIPT, ...arguments_, inbox.folder, seen, mode);
    assert.equal(ended.code, 0, ended.output);
  },
});
