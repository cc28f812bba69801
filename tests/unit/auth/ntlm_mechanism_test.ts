/** Whole exchanges of the mechanism NTLM, by a client with arithmetic of its own. */

import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { ntlmMechanism } from "../../../src/auth/mechanisms/ntlm.ts";
import type { NtlmRefusal } from "../../../src/auth/ntlm/judgement.ts";
import { USER_NAME_OCTETS } from "../../../src/limits.ts";
import {
  authenticateMessage,
  avPair,
  negotiateMessage,
  parseChallenge,
} from "../../support/ntlm_client.ts";
import { NOW_MS, NTLM_OPTIONS, NtlmDesk, ntlmLogin, ntlmOutcome } from "../../support/ntlm_desk.ts";

const PASSWORD = "SecREt01";
const ALICE = { user: "alice", password: PASSWORD };
const newDesk = () => new NtlmDesk({ alice: PASSWORD, "jürgen": PASSWORD, "bob@b.org": "other" });
const newMechanism = (desk = newDesk(), options = {}) =>
  ntlmMechanism(desk, { ...NTLM_OPTIONS, ...options })!;

test("NTLM is a mechanism that shows no password", () => {
  const { name, plaintext } = newMechanism();
  deepStrictEqual({ name, plaintext }, { name: "NTLM", plaintext: false });
});

test("without an initial response the client is asked by an empty challenge, and once", async () => {
  const exchange = newMechanism().start();
  deepStrictEqual(await exchange.next(undefined), {
    kind: "challenge",
    octets: new Uint8Array(),
  });
  strictEqual((await exchange.next(undefined)).kind, "malformed");
});

test("the challenge has our names, our time and our random octets", async () => {
  const step = await newMechanism().start().next(negotiateMessage());
  ok(step.kind === "challenge");
  const challenge = parseChallenge(step.octets);
  const utf16 = (text: string) => Buffer.from(text, "utf16le");
  strictEqual(challenge.serverChallenge.toString("hex"), "0123456789abcdef");
  deepStrictEqual(challenge.targetName, utf16("EXAMPLE"));
  const timestamp = challenge.pairs.get(7)!.readBigUInt64LE();
  strictEqual(Number(timestamp / 10_000n) - 11_644_473_600_000, NOW_MS);
  deepStrictEqual([1, 2, 3, 4].map((id) => challenge.pairs.get(id)), [
    utf16("MAIL"),
    utf16("EXAMPLE"),
    utf16("mail.example.org"),
    utf16("example.org"),
  ]);
});

test("neither signing, sealing nor key exchange is offered, whatever the client offers", async () => {
  const exchange = newMechanism().start();
  const step = await exchange.next(negotiateMessage(false, 0xffff_ffff));
  ok(step.kind === "challenge");
  const { flags } = parseChallenge(step.octets);
  // UNICODE rather than OEM, 56, 128, TARGET_INFO, session security, domain, always sign, NTLM, target.
  strictEqual(flags.toString(16), (0xa089_8205).toString(16));
});

test("a right answer lets the user in, with a MIC or without, in UNICODE or OEM", async () => {
  for (const mic of [false, true]) {
    for (const oem of [false, true]) {
      const desk = newDesk();
      strictEqual(await ntlmOutcome(desk, ALICE, { mic, oem }), "granted", `${mic} ${oem}`);
      deepStrictEqual(desk.asked, ["secretsOf alice", "admit alice"]);
    }
  }
});

test("an empty challenge before makes no difference", async () => {
  const exchange = newMechanism().start();
  await exchange.next(undefined);
  const negotiate = negotiateMessage();
  const step = await exchange.next(negotiate);
  ok(step.kind === "challenge");
  const done = await exchange.next(await authenticateMessage(ALICE, negotiate, step.octets));
  ok(done.kind === "done" && done.outcome.kind === "granted");
});

test("a wrong password, an unknown user and one without an NT hash are refused alike", async () => {
  const users = { alice: PASSWORD, carol: undefined };
  for (const user of ["alice", "nobody", "carol"]) {
    const desk = new NtlmDesk(users);
    strictEqual(await ntlmOutcome(desk, { user, password: "wrong" }), "refused");
    deepStrictEqual(desk.asked, [`secretsOf ${user}`, `refuse ${user}`]);
  }
});

test("who knows what an unknown user's hash is made of is refused all the same", async () => {
  const desk = newDesk();
  // A desk whose made-up octets are those of a password that the client has.
  const known = new NtlmDesk({ nobody: PASSWORD });
  const found = await known.secretsOf("nobody");
  ok(found.kind === "found" && found.secrets.ntHash !== undefined);
  const { ntHash } = found.secrets;
  desk.madeUp = () => Uint8Array.from([...ntHash, ...ntHash]);
  strictEqual(await ntlmOutcome(desk, { user: "nobody", password: PASSWORD }), "refused");
  deepStrictEqual(desk.asked, ["secretsOf nobody", "refuse nobody"]);
});

test("the user name is hashed in upper case, in whatever case it is sent", async () => {
  const desk = new NtlmDesk({ ALICE: PASSWORD, "jürgen": PASSWORD });
  strictEqual(await ntlmOutcome(desk, { user: "ALICE", password: PASSWORD }), "granted");
  strictEqual(await ntlmOutcome(desk, { user: "jürgen", password: PASSWORD }), "granted");
});

test("an OEM client's letters beyond ASCII are taken as it hashes them: octets, widened", async () => {
  const user = "jürgen";
  const octets = Buffer.from(user, "utf8").toString("latin1");
  const hashedUser = octets.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  const credentials = { user, password: PASSWORD };
  strictEqual(await ntlmOutcome(newDesk(), credentials, { oem: true, hashedUser }), "granted");
  strictEqual(await ntlmOutcome(newDesk(), credentials, { oem: true }), "refused");
});

test("the domain may be hashed as sent, not at all, or as we call ourselves", async () => {
  for (const domain of ["EXAMPLE", "example", "Whatever", "WORKSTATION7", ""]) {
    for (const hashedDomain of [domain, "", "EXAMPLE", "example.org"]) {
      const outcome = await ntlmOutcome(newDesk(), { ...ALICE, domain }, { hashedDomain });
      strictEqual(outcome, "granted", `${domain} hashed as ${hashedDomain}`);
    }
    const outcome = await ntlmOutcome(newDesk(), { ...ALICE, domain }, { hashedDomain: "Another" });
    strictEqual(outcome, "refused", domain);
  }
});

test("a domain of the DNS that is not ours is part of the name first, and then not", async () => {
  const desk = newDesk();
  const bob = { user: "bob", password: "other", domain: "B.org" };
  strictEqual(await ntlmOutcome(desk, bob), "granted");
  deepStrictEqual(desk.asked, ["secretsOf bob@b.org", "secretsOf bob", "admit bob@b.org"]);
});

test("of two users with one password the one whose domain was said logs in", async () => {
  const desk = new NtlmDesk({ bob: PASSWORD, "bob@b.org": PASSWORD });
  await ntlmOutcome(desk, { user: "bob", password: PASSWORD, domain: "b.org" });
  strictEqual(desk.asked.at(-1), "admit bob@b.org");
});

test("as many names are asked for an unknown user as for a known one", async () => {
  for (const domain of ["", "EXAMPLE", "b.org", "example.org"]) {
    const counts = [];
    for (const user of ["alice", "bob", "nobody"]) {
      const desk = newDesk();
      await ntlmOutcome(desk, { user, password: "wrong", domain });
      counts.push(desk.asked.length);
      strictEqual(desk.asked.at(-1), `refuse ${user}`);
    }
    strictEqual(new Set(counts).size, 1, domain);
  }
});

test("DOMAIN\\user in the user field alone is a user in a domain", async () => {
  const desk = newDesk();
  strictEqual(await ntlmOutcome(desk, { ...ALICE, user: "EXAMPLE\\alice" }), "granted");
  deepStrictEqual(desk.asked, ["secretsOf alice", "admit alice"]);
});

test("what the desk cannot tell is not a wrong password, and nothing is proved", async () => {
  for (const trouble of ["unavailable", "delayed"] as const) {
    const desk = newDesk();
    desk.trouble = trouble;
    strictEqual(await ntlmOutcome(desk, ALICE), trouble);
    deepStrictEqual(desk.asked, ["secretsOf alice"]);
  }
});

test("an exchange is used once: no second AUTHENTICATE, right or wrong", async () => {
  for (const password of [PASSWORD, "wrong"]) {
    const desk = newDesk();
    const { exchange, authenticate, negotiate, challenge } = await ntlmLogin(
      newMechanism(desk),
      { user: "alice", password },
    );
    const right = await authenticateMessage(ALICE, negotiate, challenge);
    const asked = desk.asked.length;
    for (const message of [authenticate, right, negotiate, undefined]) {
      strictEqual((await exchange.next(message)).kind, "malformed");
    }
    strictEqual(desk.asked.length, asked);
  }
});

test("an answer to another exchange's challenge is refused", async () => {
  let count = 0;
  const random = (octets: number) => new Uint8Array(octets).fill(++count);
  const mechanism = newMechanism(newDesk(), { random });
  const { authenticate } = await ntlmLogin(mechanism, ALICE);
  const exchange = mechanism.start();
  await exchange.next(negotiateMessage());
  const step = await exchange.next(authenticate);
  ok(step.kind === "done" && step.outcome.kind === "refused");
});

test("a MIC that is announced has to be right: over each message, and there at all", async () => {
  const negotiate = negotiateMessage();
  const other = negotiateMessage(false, 0x0200_0000);
  for (const seen of [negotiate, other]) {
    const exchange = newMechanism().start();
    const challenge = await exchange.next(negotiate);
    ok(challenge.kind === "challenge");
    const message = await authenticateMessage(ALICE, seen, challenge.octets, { mic: true });
    const step = await exchange.next(message);
    ok(step.kind === "done");
    strictEqual(step.outcome.kind, seen === negotiate ? "granted" : "refused");
  }
  const withFlagOnly = (info: Buffer) =>
    Buffer.concat([avPair(6, Buffer.from([2, 0, 0, 0])), info]);
  strictEqual(await ntlmOutcome(newDesk(), ALICE, { targetInfo: withFlagOnly }), "refused");
});

test("a client that claims key exchange, which nobody offered, is not believed", async () => {
  const moreFlags = 0x4000_0000;
  strictEqual(await ntlmOutcome(newDesk(), ALICE, { moreFlags }), "granted");
  strictEqual(await ntlmOutcome(newDesk(), ALICE, { moreFlags, mic: true }), "granted");
});

test("target info has to come back whole: each pair there and unaltered", async () => {
  const sent = parseChallenge(
    (await ntlmLogin(newMechanism(), ALICE)).challenge,
  ).pairs;
  const encode = (pairs: Map<number, Buffer>) =>
    Buffer.concat([...[...pairs].map(([id, value]) => avPair(id, value)), Buffer.alloc(4)]);
  strictEqual(await ntlmOutcome(newDesk(), ALICE, { targetInfo: () => encode(sent) }), "granted");
  for (const id of sent.keys()) {
    const without = new Map([...sent].filter(([other]) => other !== id));
    const altered = new Map(sent);
    const value = Buffer.from(sent.get(id)!);
    value[0]! ^= 1;
    altered.set(id, value);
    for (const pairs of [without, altered]) {
      const outcome = await ntlmOutcome(newDesk(), ALICE, { targetInfo: () => encode(pairs) });
      strictEqual(outcome, "refused", `pair ${id}`);
    }
  }
});

test("LM and NTLMv1 answers and anonymous ones are refused, and the operator learns why", async () => {
  const told: [string, NtlmRefusal][] = [];
  const onRefusal = (user: string, reason: NtlmRefusal) => void told.push([user, reason]);
  const tries = [
    [{ ...ALICE, domain: "EXAMPLE" }, { ntResponse: Buffer.alloc(24, 7) }],
    [ALICE, { ntResponse: Buffer.alloc(0) }],
    [{ user: "", password: "" }, {}],
    [{ user: "", password: "" }, { ntResponse: Buffer.alloc(0) }],
    [ALICE, { moreFlags: 0x800 }],
  ] as const;
  for (const [credentials, habits] of tries) {
    const desk = newDesk();
    strictEqual(await ntlmOutcome(desk, credentials, habits, { onRefusal }), "refused");
    strictEqual(desk.asked.at(-1), `refuse ${credentials.user}`);
    ok(!desk.asked.some((asked) => asked.startsWith("admit")));
  }
  deepStrictEqual(told, [
    ["EXAMPLE\\alice", "LM or NTLMv1 response"],
    ["alice", "LM or NTLMv1 response"],
    ["", "anonymous login"],
    ["", "anonymous login"],
    ["alice", "anonymous login"],
  ]);
});

test("a first message that is no NEGOTIATE is malformed", async () => {
  const good = negotiateMessage();
  const altered = (at: number, octet: number) => {
    const message = Buffer.from(good);
    message[at] = octet;
    return message;
  };
  const messages = [Buffer.alloc(0), good.subarray(0, 15), altered(0, 0x6e), altered(8, 3)]
    .concat([altered(12, 0x04), altered(13, 0)]); // neither UNICODE nor OEM; no NTLM
  for (const message of messages) {
    strictEqual((await newMechanism().start().next(message)).kind, "malformed");
  }
  strictEqual((await newMechanism().start().next(good.subarray(0, 16))).kind, "challenge");
});

test("a last message with any field outside of it is malformed, and nobody is asked", async () => {
  const fields = [12, 20, 28, 36, 44, 52];
  for (const at of fields) {
    for (
      const [length, offset] of [[2, 1 << 30], [0xfffe, 88], [4, 0xffff_fffe], [2, 0], [2, 62]]
    ) {
      const desk = newDesk();
      const exchange = newMechanism(desk).start();
      const negotiate = negotiateMessage();
      const challenge = await exchange.next(negotiate);
      ok(challenge.kind === "challenge");
      const message = await authenticateMessage(ALICE, negotiate, challenge.octets);
      message.writeUInt16LE(length!, at);
      message.writeUInt32LE(offset!, at + 4);
      strictEqual((await exchange.next(message)).kind, "malformed", `${at} ${length} ${offset}`);
      deepStrictEqual(desk.asked, []);
    }
  }
});

test("names that are none or too long are malformed", async () => {
  const long = "x".repeat(USER_NAME_OCTETS + 1);
  for (const user of ["al\0ice", "al\ud83dice", long]) {
    strictEqual(await ntlmOutcome(newDesk(), { user, password: PASSWORD }), "malformed");
  }
  const domain = "d".repeat(256);
  strictEqual(await ntlmOutcome(newDesk(), { ...ALICE, domain }), "malformed");
});

test("the name for the log has the domain that was sent with it", async () => {
  const { step } = await ntlmLogin(newMechanism(), { ...ALICE, domain: "WORK" });
  ok(step.kind === "done");
  strictEqual(step.user, "WORK\\alice");
});

test("what is sent is not kept by reference: octets that change later change nothing", async () => {
  const exchange = newMechanism().start();
  const negotiate = negotiateMessage();
  const line = Buffer.from(negotiate);
  const challenge = await exchange.next(line);
  line.fill(0);
  ok(challenge.kind === "challenge");
  const message = await authenticateMessage(ALICE, negotiate, challenge.octets, { mic: true });
  const done = exchange.next(message);
  message.fill(0);
  const step = await done;
  ok(step.kind === "done" && step.outcome.kind === "granted");
  notDeepStrictEqual(line, negotiate);
});
