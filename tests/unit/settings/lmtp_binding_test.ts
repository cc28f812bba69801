import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import { formatLmtpBinding, parseLmtpBinding } from "../../../src/settings/lmtp_binding.ts";

test("addresses with ports and sockets are read, and written as they were", () => {
  const texts = ["127.0.0.1:24", "[::1]:24", "unix:/run/popkeep/lmtp", "unix:/a b"];
  deepStrictEqual(texts.map(parseLmtpBinding), [
    { address: "127.0.0.1", port: 24 },
    { address: "::1", port: 24 },
    { path: "/run/popkeep/lmtp" },
    { path: "/a b" },
  ]);
  deepStrictEqual(texts.map((text) => formatLmtpBinding(parseLmtpBinding(text)!)), texts);
});

test("what is no such place is refused", () => {
  const texts = [
    "",
    "unix:",
    "unix:/",
    "unix:lmtp",
    "unix:/run/../lmtp",
    "unix:/run/lmtp/",
    "/run/lmtp",
  ]
    .concat([`unix:/${"x".repeat(90)}`, "unix:/a\nb", "localhost:24", "inet:127.0.0.1:24"]);
  deepStrictEqual(texts.filter((text) => parseLmtpBinding(text) !== undefined), []);
  deepStrictEqual(parseLmtpBinding(`unix:/${"x".repeat(89)}`), { path: `/${"x".repeat(89)}` });
});
