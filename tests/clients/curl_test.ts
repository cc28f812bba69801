/**
 * curl downloads the demo mail, octet by octet.
 *
 * What curl itself does to a message, and all that is allowed for here:
 * - A message of no octets becomes CRLF. curl counts the CRLF before the terminating dot as the message's
 *   (lib/pop3.c), also where that CRLF is the end of the response line.
 *
 * curl remembers no unique-ids, so "nothing twice" is that it is shown the same ones again.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEMO_USERS, demoMessages, type DemoUser } from "../support/demo_mail.ts";
import {
  assertAllDeleted,
  assertAllKept,
  assertDownloaded,
  type DemoServer,
  wantedBy,
  WAYS,
  withDemoServer,
} from "../support/demo_server.ts";
import { clientTest, run } from "../support/real_client.ts";

const asCurlSavesIt = (canonical: Buffer) =>
  canonical.length === 0 ? Buffer.from("\r\n") : canonical;

/** The options that every call needs, then `more`; returns what curl wrote to standard output. */
async function curl(server: DemoServer, folder: string, user: string, ...more: string[]) {
  const options = ["--silent", "--show-error", "--user", `${user}:${server.password}`];
  if (server.way !== "plain") options.push("--ssl-reqd", "--cacert", server.certificateFile);
  const ended = await run(folder, "curl", ...options, ...more);
  assert.equal(ended.code, 0, ended.output);
  return ended.stdout;
}

const urlOf = (server: DemoServer) =>
  `${server.way === "TLS" ? "pop3s" : "pop3"}://${server.host}:${server.port}/`;

/** Retrieves every message that LIST shows, over one connection. */
async function downloadAll(server: DemoServer, folder: string, user: DemoUser): Promise<Buffer[]> {
  const listing = await curl(server, folder, user, urlOf(server));
  const numbers = listing.trim().split("\r\n").map((line) => line.split(" ")[0]!);
  const saved = join(folder, user);
  mkdirSync(saved, { recursive: true });
  const range = `[1-${numbers.length}]`;
  await curl(server, folder, user, urlOf(server) + range, "--output", join(saved, "#1"));
  return numbers.map((number) => readFileSync(join(saved, number)));
}

for (const way of WAYS) {
  clientTest(
    ["curl"],
    `curl over ${way}: every demo message comes octet by octet, twice, under the same unique-ids`,
    (folder) =>
      withDemoServer(way, async (server) => {
        for (const user of DEMO_USERS) {
          const wanted = wantedBy(user, asCurlSavesIt);
          const uidl = () => curl(server, folder, user, "--request", "UIDL", urlOf(server));
          const first = await uidl();
          assert.equal(first.trim().split("\r\n").length, wanted.length);
          assertDownloaded(await downloadAll(server, folder, user), wanted);
          assertDownloaded(await downloadAll(server, folder, user), wanted);
          assert.equal(await uidl(), first);
          assertAllKept(server, user);
        }
      }),
  );
}

clientTest(
  ["curl"],
  "curl over STLS: what it marks with DELE is gone afterwards, and nothing else",
  (folder) =>
    withDemoServer("STLS", async (server) => {
      const total = demoMessages("alice").length;
      // "--list-only" is how curl is told that no message follows the response.
      const marking = (
        range: string,
      ) => ["--list-only", "--request", "DELE", urlOf(server) + range];
      await curl(server, folder, "alice", ...marking("[1-5]"));
      assertDownloaded(
        await downloadAll(server, folder, "alice"),
        wantedBy("alice", asCurlSavesIt).slice(5),
      );
      await curl(server, folder, "alice", ...marking(`[1-${total - 5}]`));
      assertAllDeleted(server, "alice");
      assertAllKept(server, "bob");
    }),
);

clientTest(
  ["curl"],
  "curl without TLS is not let in where TLS is asked for",
  (folder) =>
    withDemoServer("STLS", async (server) => {
      const ended = await run(folder, "curl", "--user", `alice:${server.password}`, urlOf(server));
      assert.equal(ended.code, 67, ended.output);
    }),
);
