/** What README.md shows is so: the session in its picture, its links, its make targets. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withDemoServer } from "../support/demo_server.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** The lines of the picture, each with who says it. */
function pictured(): { class: string; text: string }[] {
  const lines = [...read("docs/session.svg").matchAll(/<text class="(\w+)"[^>]*>(.*)<\/text>/g)];
  return lines.map(([, who, text]) => ({
    class: who!,
    text: text!.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
  }));
}

test("the session in the picture is what popkeep says today", () =>
  withDemoServer("plain", async (server) => {
    const socket = net.connect({ host: "127.0.0.1", port: server.port });
    let said = "";
    socket.on("data", (octets) => said += octets.toString("latin1"));
    for (const { class: who, text } of pictured()) {
      if (who === "client") {
        socket.write(text.replace("PASS demo", `PASS ${server.password}`) + "\r\n");
      }
    }
    await once(socket, "end");
    socket.destroy();
    const answers = pictured().filter(({ class: who }) => who === "server" || who === "mail");
    assert.ok(answers.length > 10);
    assert.equal(said, answers.map(({ text }) => `${text}\r\n`).join(""));
  }));

test("every file that README.md links to is there", () => {
  const targets = [...read("README.md").matchAll(/\]\(([^)#]+)[^)]*\)|src="([^"]+)"/g)]
    .map(([, link, image]) => (link ?? image)!)
    .filter((target) => !/^[a-z]+:/.test(target));
  assert.ok(targets.length > 3);
  for (const target of targets) {
    assert.ok(existsSync(fileURLToPath(new URL(`../../${target}`, import.meta.url))), target);
  }
});

test("every make target that README.md names is in the Makefile", () => {
  const named = [...read("README.md").matchAll(/\bmake ([a-z][a-z-]*)\b/g)].map(([, name]) => name);
  assert.ok(named.length > 3);
  for (const name of named) assert.match(read("Makefile"), new RegExp(`^${name}:`, "m"));
});
