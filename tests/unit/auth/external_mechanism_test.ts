import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type {
  ClientIdentity,
  Validity,
} from "../../../src/auth/client_certificates/client_identity.ts";
import { externalMechanism } from "../../../src/auth/mechanisms/external.ts";
import { USER_NAME_OCTETS } from "../../../src/limits.ts";
import { granted, scramDesk } from "../../support/scram_desk.ts";

function identity(validity: Validity = "yes"): ClientIdentity {
  const names = ["alice@example.com", "al@example.org"] as const;
  return { names, validity: () => Promise.resolve(validity) };
}

/** Runs one exchange and tells what the desk was asked. */
async function exchange(response: Uint8Array | string | undefined, validity?: Validity) {
  const desk = scramDesk({});
  const mechanism = externalMechanism(desk, identity(validity));
  const octets = typeof response === "string" ? Buffer.from(response, "utf8") : response;
  return { step: await mechanism.start().next(octets), asked: desk.asked };
}

test("EXTERNAL shows no password", () => {
  const { name, plaintext } = externalMechanism(scramDesk({}), identity());
  deepStrictEqual({ name, plaintext }, { name: "EXTERNAL", plaintext: false });
});

test("without an initial response the client is asked by an empty challenge", async () => {
  const { step, asked } = await exchange(undefined);
  deepStrictEqual(step, { kind: "challenge", octets: new Uint8Array() });
  deepStrictEqual(asked, []);
});

test("an empty response logs in the certificate's first name", async () => {
  const { step, asked } = await exchange("");
  const user = "alice@example.com";
  deepStrictEqual(step, { kind: "done", user, outcome: granted(user) });
  deepStrictEqual(asked, ["admit alice@example.com"]);
});

test("any of the certificate's names may be chosen", async () => {
  deepStrictEqual((await exchange("al@example.org")).asked, ["admit al@example.org"]);
  deepStrictEqual((await exchange("alice@example.com")).asked, ["admit alice@example.com"]);
});

test("whether it may act as somebody else is the desk's to judge", async () => {
  const { asked } = await exchange("bob@example.com");
  deepStrictEqual(asked, ["admit alice@example.com as bob@example.com"]);
});

test("a certificate that does not hold any more is refused", async () => {
  const { step, asked } = await exchange("", "no");
  deepStrictEqual(step, {
    kind: "done",
    user: "alice@example.com",
    outcome: { kind: "refused" },
  });
  deepStrictEqual(asked, ["refuse alice@example.com"]);
});

test("one of which that cannot be told is no failure of the client", async () => {
  const { step, asked } = await exchange("", "unknown");
  const user = "alice@example.com";
  deepStrictEqual(step, { kind: "done", user, outcome: { kind: "unavailable" } });
  deepStrictEqual(asked, []);
});

test("what is no name is malformed, and the desk is not asked", async () => {
  const long = "a".repeat(USER_NAME_OCTETS + 1);
  for (const response of ["alice\0", "\0", long, Buffer.from("j\xfcrgen", "latin1")]) {
    const { step, asked } = await exchange(response);
    deepStrictEqual(step, { kind: "malformed" });
    strictEqual(asked.length, 0);
  }
});
