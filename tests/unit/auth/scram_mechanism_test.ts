import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { scramSha256Mechanisms } from "../../../src/auth/mechanisms/scram_sha_256.ts";
import type { LoginOutcome } from "../../../src/auth/login.ts";
import type { SecureChannel } from "../../../src/auth/secure_channel.ts";
import {
  SCRAM_ITERATIONS,
  SCRAM_NONCE_CHARACTERS,
  SCRAM_SALT_OCTETS,
  USER_NAME_OCTETS,
} from "../../../src/limits.ts";
import { testCertificate } from "../../support/certificate.ts";
import { attributesOf, type ScramAttempt, ScramClient } from "../../support/scram_client.ts";
import { granted, PENCIL, type RecordingDesk, scramDesk } from "../../support/scram_desk.ts";

const EXPORTED = Buffer.alloc(32, 7);
const CERTIFICATE = new X509Certificate((await testCertificate()).certificate).raw;
const PLUS = "SCRAM-SHA-256-PLUS";

/** A connection under TLS 1.3, on Bun. */
const CHANNEL: SecureChannel = {
  serverCertificate: CERTIFICATE,
  clientCertificate: undefined,
  exporter: () => EXPORTED,
};

/** The same under Deno, or TLS 1.2. */
const WITHOUT_EXPORTER: SecureChannel = { ...CHANNEL, exporter: () => undefined };

const usersDesk = (outcome?: (user: string) => LoginOutcome) =>
  scramDesk({ user: PENCIL, "a,b=c": PENCIL }, outcome);

interface Setting {
  readonly desk?: RecordingDesk;
  readonly channel?: SecureChannel | undefined;
  readonly mechanism?: string;
  readonly spelling?: (user: string) => string;
}

let drawn = 0;

function begin({ channel, mechanism: wanted = "SCRAM-SHA-256", spelling, ...rest }: Setting = {}) {
  const desk = rest.desk ?? usersDesk();
  const random = (octets: number) => Buffer.alloc(octets, ++drawn);
  const options = { channel, random, ...(spelling && { spelling }) };
  const mechanism = scramSha256Mechanisms(desk, options).find(({ name }) => name === wanted);
  if (mechanism === undefined) throw new Error(`${wanted} is not offered`);
  return { desk, exchange: mechanism.start() };
}

/** Runs an exchange as far as it goes; tells the last step and what the desk was asked. */
async function logIn(attempt: Partial<ScramAttempt>, setting: Setting = {}) {
  const { desk, exchange } = begin(setting);
  const client = new ScramClient({ user: "user", password: "pencil", ...attempt });
  const steps = [await exchange.next(client.first())];
  if (steps[0]?.kind === "challenge") {
    steps.push(await exchange.next(client.final(steps[0].octets)));
  }
  const signature = steps[1];
  if (signature?.kind === "challenge") {
    ok(client.isContent(signature.octets), "the client sees that the server knows the password");
    steps.push(await exchange.next(new Uint8Array()));
  }
  const last = steps.at(-1);
  ok(last !== undefined && last.kind !== "challenge");
  return { last, steps: steps.length, asked: desk.asked, exchange };
}

const GRANTED = { kind: "done", user: "user", outcome: granted("user") } as const;
const REFUSED = { kind: "done", user: "user", outcome: { kind: "refused" } } as const;
const MALFORMED = { kind: "malformed" } as const;

test("who knows the password is let in, after a signature that was asked for by nothing", async () => {
  const { last, steps, asked } = await logIn({});
  deepStrictEqual(last, GRANTED);
  strictEqual(steps, 3);
  deepStrictEqual(asked, ["secretsOf user", "admit user"]);
});

test("without an initial response the client is asked by an empty challenge", async () => {
  const { exchange } = begin();
  deepStrictEqual(await exchange.next(undefined), { kind: "challenge", octets: new Uint8Array() });
  const client = new ScramClient({ user: "user", password: "pencil" });
  strictEqual((await exchange.next(client.first())).kind, "challenge");
});

test("a wrong password is refused without a signature", async () => {
  const { last, steps, asked } = await logIn({ password: "Pencil" });
  deepStrictEqual(last, REFUSED);
  strictEqual(steps, 2);
  deepStrictEqual(asked, ["secretsOf user", "refuse user"]);
});

test("an unknown user is refused as one with a wrong password is", async () => {
  const { last, steps, asked } = await logIn({ user: "nobody" });
  deepStrictEqual(last, { ...REFUSED, user: "nobody" });
  strictEqual(steps, 2);
  deepStrictEqual(asked, ["secretsOf nobody", "refuse nobody"]);
});

async function serverFirstFor(user: string, setting: Setting = {}) {
  const step = await begin(setting).exchange.next(new ScramClient({ user, password: "" }).first());
  ok(step.kind === "challenge");
  return attributesOf(step.octets);
}

test("an unknown user is sent salt and iterations as keys of popkeep have them", async () => {
  const { s = "", i } = await serverFirstFor("nobody");
  strictEqual(Buffer.from(s, "base64").length, SCRAM_SALT_OCTETS.default);
  strictEqual(i, String(SCRAM_ITERATIONS.default));
});

test("an unknown user is sent the same salt each time and in every spelling", async () => {
  const { s: salt } = await serverFirstFor("nobody");
  for (const spelling of ["nobody", "Nobody", "NOBODY"]) {
    strictEqual((await serverFirstFor(spelling)).s, salt, spelling);
  }
  notDeepStrictEqual((await serverFirstFor("nobody2")).s, salt);
});

test("who tells the mechanism what counts as one name is heard", async () => {
  const spelling = (user: string) => user.replace(/@.*/, "");
  const { s: salt } = await serverFirstFor("nobody", { spelling });
  strictEqual((await serverFirstFor("nobody@example.com", { spelling })).s, salt);
});

test("a made-up key lets nobody in, not even who can foresee it", async () => {
  // As if the desk's secret were known: the client key that fits the made-up stored key cannot be.
  const desk = scramDesk({}, granted);
  const storedKey = createHash("sha256").update(Buffer.alloc(32)).digest();
  const { exchange } = begin({ desk: { ...desk, madeUp: () => storedKey } });
  const client = new ScramClient({ user: "nobody", password: "" });
  const first = await exchange.next(client.first());
  ok(first.kind === "challenge");
  const { r = "" } = attributesOf(first.octets);
  const withoutProof = `c=biws,r=${r}`;
  const bare = Buffer.from(client.first()).toString().slice("n,,".length);
  const authMessage = `${bare},${Buffer.from(first.octets).toString()},${withoutProof}`;
  // The proof that turns into the client key of 32 zeros.
  const proof = createHmac("sha256", storedKey).update(authMessage).digest("base64");
  const last = await exchange.next(Buffer.from(`${withoutProof},p=${proof}`));
  deepStrictEqual(last, { ...REFUSED, user: "nobody" });
});

test("each exchange has a nonce of its own, the client's first", async () => {
  const [one, another] = [await serverFirstFor("user"), await serverFirstFor("user")];
  ok(one.r?.startsWith("rOprNGfwEbeRWgbNEkqO"));
  strictEqual(one.r?.length, "rOprNGfwEbeRWgbNEkqO".length + 24);
  notDeepStrictEqual(one.r, another.r);
});

test("a name with comma and equals sign is decoded", async () => {
  const { last } = await logIn({ user: "a,b=c" });
  deepStrictEqual(last, { kind: "done", user: "a,b=c", outcome: granted("a,b=c") });
});

test("an authzid is the desk's to judge", async () => {
  const { asked } = await logIn({ gs2Header: "n,a=a=2Cb=3Dc," });
  deepStrictEqual(asked, ["secretsOf user", "admit user as a,b=c"]);
});

test("who may not log in gets no signature, and the desk's own outcome", async () => {
  for (const kind of ["refused", "disabled", "unavailable", "delayed"] as const) {
    const { last, steps, asked } = await logIn({}, { desk: usersDesk(() => ({ kind })) });
    deepStrictEqual(last, { kind: "done", user: "user", outcome: { kind } });
    strictEqual(steps, 2);
    deepStrictEqual(asked, ["secretsOf user", "admit user"]);
  }
});

test("a directory that does not answer and too many failures end the exchange as they are", async () => {
  for (const kind of ["unavailable", "delayed"] as const) {
    const desk = { ...usersDesk(), secretsOf: () => Promise.resolve({ kind }) };
    const { last, asked } = await logIn({}, { desk });
    deepStrictEqual(last, { kind: "done", user: "user", outcome: { kind } });
    deepStrictEqual(asked, []);
  }
});

test("attributes that nobody knows are skipped in either message", async () => {
  const { last } = await logIn({ nonce: "abc,x=future,Y=z= ü", extensions: ",q=1,Q=ü" });
  deepStrictEqual(last, GRANTED);
});

test("first messages that the grammar does not allow are malformed, and nobody is looked up", async () => {
  const long = "a".repeat(USER_NAME_OCTETS + 1);
  for (
    const message of ["", "n", "n,,", "n,,n=user", "n,,n=user,r=", "n,,n=,r=abc", "n,,r=abc,n=user"]
      .concat(["n,n=user,r=abc", "x,,n=user,r=abc", "p=,,n=user,r=abc", "p=a b,,n=user,r=abc"])
      .concat(["n,a=,n=user,r=abc", "n,b=x,n=user,r=abc", "N,,n=user,r=abc", ",,n=user,r=abc"])
      .concat(["n,,m=x,n=user,r=abc", "n,,n=user,m=x,r=abc", "n,,n=user,r=abc,m=x"])
      .concat([
        "n,,n=us=er,r=abc",
        "n,,n=user=,r=abc",
        "n,,n=us=2cer,r=abc",
        "n,a=x=y,n=user,r=abc",
      ])
      .concat(["n,,n=user,r=ab c", "n,,n=user,r=abü", "n,,n=user,r=abc,", "n,,n=user,r=abc,x="])
      .concat(["n,,n=user,r=abc,1=x", "n,,n=user,r=abc\0", "n,,n=us\0er,r=abc", " n,,n=user,r=abc"])
      .concat([`n,,n=${long},r=abc`, `n,a=${long},n=user,r=abc`])
      .concat([`n,,n=user,r=${"a".repeat(SCRAM_NONCE_CHARACTERS + 1)}`])
      .concat([`n,,n=user,r=abc,x=${"a".repeat(5_000)}`, "p=tls-exporter,,n=user,r=abc"])
  ) {
    const { desk, exchange } = begin();
    deepStrictEqual(await exchange.next(Buffer.from(message, "utf8")), MALFORMED, message);
    deepStrictEqual(desk.asked, []);
  }
});

test("octets that are no UTF-8 are malformed", async () => {
  const { exchange } = begin();
  deepStrictEqual(await exchange.next(Buffer.from("n,,n=\xfc,r=abc", "latin1")), MALFORMED);
});

/** Changes the right last message of an exchange, and says what comes of it. */
async function afterChange(change: (final: string) => string, setting: Setting = {}) {
  const { desk, exchange } = begin(setting);
  const client = new ScramClient({ user: "user", password: "pencil" });
  const first = await exchange.next(client.first());
  ok(first.kind === "challenge");
  const final = Buffer.from(client.final(first.octets)).toString("latin1");
  const last = await exchange.next(Buffer.from(change(final), "latin1"));
  return { last, asked: desk.asked, exchange };
}

test("last messages that the grammar does not allow are malformed, and nobody is admitted", async () => {
  const changes: ((final: string) => string)[] = [
    () => "",
    () => "p=",
    (final) => final.replace("c=biws", "c=biws="),
    (final) => final.replace("c=biws", "c=b iws"),
    (final) => final.replace("c=biws", "C=biws"),
    (final) => final.replace(",p=", ",m=x,p="),
    (final) => final.replace(",p=", ",x=,p="),
    (final) => final.replace(/,r=[^,]*/, ""),
    (final) => final.replace(/,p=.*/, ""),
    (final) => final.replace(/p=.{4}/, "p="),
    (final) => `${final},x=y`,
    (final) => final + " ",
    (final) => final + "\0",
  ];
  for (const change of changes) {
    const { last, asked } = await afterChange(change);
    deepStrictEqual(last, MALFORMED, change.toString());
    deepStrictEqual(asked, ["secretsOf user"]);
  }
});

test("last messages of another exchange are refused", async () => {
  const changes: ((final: string) => string)[] = [
    (final) => final.replace(/r=./, "r=x"),
    (final) => final.replace(/,r=([^,]*)/, ",r=$1x"),
    (final) => final.replace(/,r=[^,]*/, ",r=rOprNGfwEbeRWgbNEkqO"),
    (final) => final.replace("c=biws", "c=eSws"),
    (final) => final.replace("c=biws", "c="),
    (final) => final.replace(/p=./, (found) => found === "p=A" ? "p=B" : "p=A"),
    (final) => final.replace(",p=", ",x=y,p="),
  ];
  for (const change of changes) {
    const { last, asked } = await afterChange(change);
    deepStrictEqual(last, REFUSED, change.toString());
    deepStrictEqual(asked, ["secretsOf user", "refuse user"]);
  }
});

test("a right proof with another nonce than the server's is refused", async () => {
  for (const finalNonce of ["rOprNGfwEbeRWgbNEkqO", "", "rOprNGfwEbeRWgbNEkqO" + "a".repeat(24)]) {
    const { last, asked } = await logIn({ finalNonce });
    deepStrictEqual(last, REFUSED);
    deepStrictEqual(asked, ["secretsOf user", "refuse user"]);
  }
});

test("a right message is right once", async () => {
  const { last, exchange } = await afterChange((final) => final);
  strictEqual(last.kind, "challenge");
  deepStrictEqual(await exchange.next(Buffer.from("again")), MALFORMED);
  deepStrictEqual(await exchange.next(new Uint8Array()), MALFORMED);
});

test("an exchange that was abandoned admits nobody any more", async () => {
  const { desk, exchange } = begin();
  const client = new ScramClient({ user: "user", password: "pencil" });
  const first = await exchange.next(client.first());
  ok(first.kind === "challenge");
  exchange.abandon?.();
  deepStrictEqual(await exchange.next(client.final(first.octets)), MALFORMED);
  deepStrictEqual(desk.asked, ["secretsOf user"]);
});

test("a client that takes the signature and goes is told of as one whose proof was right", async () => {
  for (const last of [undefined, Buffer.from("something")]) {
    const { exchange } = begin();
    const client = new ScramClient({ user: "user", password: "pencil" });
    const first = await exchange.next(client.first());
    ok(first.kind === "challenge");
    strictEqual((await exchange.next(client.final(first.octets))).kind, "challenge");
    if (last !== undefined) deepStrictEqual(await exchange.next(last), MALFORMED);
    const done = exchange.abandon?.();
    strictEqual(typeof done === "object" ? done.outcome.kind : "nothing", "granted");
    strictEqual(exchange.abandon?.(), undefined, "once");
  }
});

const namesOf = (channel: SecureChannel | undefined) =>
  scramSha256Mechanisms(usersDesk(), { channel, random: Buffer.alloc }).map(({ name }) => name);

test("-PLUS is offered where the channel can be exported, and before the other one", () => {
  deepStrictEqual(namesOf(CHANNEL), [PLUS, "SCRAM-SHA-256"]);
  deepStrictEqual(namesOf(WITHOUT_EXPORTER), ["SCRAM-SHA-256"]);
  deepStrictEqual(namesOf(undefined), ["SCRAM-SHA-256"]);
});

test("no mechanism of the two shows the password", () => {
  const mechanisms = scramSha256Mechanisms(usersDesk(), { channel: CHANNEL, random: Buffer.alloc });
  deepStrictEqual(mechanisms.map(({ plaintext }) => plaintext), [false, false]);
});

const ON_CHANNEL: Setting = { channel: CHANNEL, mechanism: PLUS };
const BY_EXPORTER = { gs2Header: "p=tls-exporter,," };
const BY_END_POINT = { gs2Header: "p=tls-server-end-point,," };

test("-PLUS lets in who is bound to this channel by tls-exporter", async () => {
  const { last } = await logIn({ ...BY_EXPORTER, bound: EXPORTED }, ON_CHANNEL);
  deepStrictEqual(last, GRANTED);
});

test("-PLUS lets in who is bound to this server by tls-server-end-point", async () => {
  const bound = createHash("sha256").update(CERTIFICATE).digest();
  const { last } = await logIn({ ...BY_END_POINT, bound }, ON_CHANNEL);
  deepStrictEqual(last, GRANTED);
});

test("-PLUS refuses who is bound to another channel, or to none", async () => {
  const other = Buffer.alloc(32, 8);
  for (const header of [BY_EXPORTER, BY_END_POINT]) {
    for (const bound of [other, EXPORTED.subarray(1), new Uint8Array()]) {
      const { last, asked } = await logIn({ ...header, bound }, ON_CHANNEL);
      deepStrictEqual(last, REFUSED);
      deepStrictEqual(asked, ["secretsOf user", "refuse user"]);
    }
  }
});

test("-PLUS refuses a binding that is not to be had, before it looks anybody up", async () => {
  const channel = { ...CHANNEL, serverCertificate: undefined };
  for (const name of ["tls-unique", "TLS-EXPORTER", "tls-server-end-point"]) {
    const attempt = { gs2Header: `p=${name},,`, bound: EXPORTED };
    const { last, asked } = await logIn(attempt, { channel, mechanism: PLUS });
    deepStrictEqual(last, REFUSED, name);
    deepStrictEqual(asked, ["refuse user"]);
  }
});

test("-PLUS without a binding is malformed, and a binding without -PLUS too", async () => {
  for (const gs2Header of ["n,,", "y,,"]) {
    deepStrictEqual((await logIn({ gs2Header }, ON_CHANNEL)).last, MALFORMED);
  }
  const { last } = await logIn({ ...BY_EXPORTER, bound: EXPORTED }, { channel: CHANNEL });
  deepStrictEqual(last, MALFORMED);
});

test("a client that was told there is no -PLUS is refused where there is", async () => {
  const { last, asked } = await logIn({ gs2Header: "y,," }, { channel: CHANNEL });
  deepStrictEqual(last, REFUSED);
  deepStrictEqual(asked, ["refuse user"]);
});

test("a client that could bind is let in where -PLUS is not offered", async () => {
  for (const channel of [WITHOUT_EXPORTER, undefined]) {
    deepStrictEqual((await logIn({ gs2Header: "y,," }, { channel })).last, GRANTED);
  }
});

test("where the settings leave -PLUS out, who could bind is let in without", async () => {
  const desk = usersDesk();
  const options = { channel: CHANNEL, random: Buffer.alloc, offersPlus: false };
  const mechanisms = scramSha256Mechanisms(desk, options);
  deepStrictEqual(mechanisms.map(({ name }) => name), ["SCRAM-SHA-256"]);
  const exchange = mechanisms[0]!.start();
  const client = new ScramClient({ user: "user", password: "pencil", gs2Header: "y,," });
  const first = await exchange.next(client.first());
  ok(first.kind === "challenge");
  strictEqual((await exchange.next(client.final(first.octets))).kind, "challenge");
  deepStrictEqual(desk.asked, ["secretsOf user", "admit user"]);
});

test("a client that cannot bind is let in where -PLUS is offered", async () => {
  deepStrictEqual((await logIn({}, { channel: CHANNEL })).last, GRANTED);
});
