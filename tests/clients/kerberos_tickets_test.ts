/**
 * AUTH GSSAPI with tickets of a real KDC and the system's Kerberos library, on the server's side in this
 * process and its threads: who gets in, and above all who does not.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { generate } from "selfsigned";
import { Kerberos } from "../../src/auth/gssapi/kerberos.ts";
import type { KerberosOptions } from "../../src/auth/gssapi/kerberos_options.ts";
import type { LoginDesk, LoginOutcome } from "../../src/auth/login.ts";
import type { Exchange, Step } from "../../src/auth/mechanism.ts";
import { gssapiMechanism } from "../../src/auth/mechanisms/gssapi.ts";
import { serverEndPoint } from "../../src/auth/server_end_point.ts";
import type { SecureChannel } from "../../src/auth/secure_channel.ts";
import { Mutator } from "../property/mutated_octets.ts";
import { HeldTicket, Initiator, setLibraryEnvironment } from "../support/kerberos_initiator.ts";
import { KERBEROS_COMMANDS, KerberosRealm } from "../support/kerberos_realm.ts";
import { clientTest } from "../support/real_client.ts";

const NO_LAYER = Uint8Array.of(1, 0, 0, 0);

/** A realm with alice and pop/localhost, and a server of it. */
interface Stage {
  readonly realm: KerberosRealm;
  readonly kerberos: Kerberos;
  readonly options: KerberosOptions;
  /** A credential cache of alice's. */
  readonly cache: string;
  /** One exchange by other settings than the stage's. */
  begin(options?: Partial<KerberosOptions>, channel?: SecureChannel): Exchange;
  /** What was logged by the room auth: its fields `reason` and `detail`. */
  reasons(): string[];
}

function kerberosTest(name: string, body: (stage: Stage) => Promise<void>): void {
  clientTest(KERBEROS_COMMANDS, name, async (folder) => {
    const realm = await KerberosRealm.start(join(folder, "realm"));
    const records: LogRecord[] = [];
    await configure({
      reset: true,
      sinks: { list: (record) => records.push(record) },
      loggers: [
        { category: "popkeep", lowestLevel: "debug", sinks: ["list"] },
        { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["list"] },
      ],
    });
    setLibraryEnvironment("KRB5_CONFIG", realm.settingsFile);
    realm.add("alice", "pop/localhost");
    const options: KerberosOptions = {
      keytab: realm.keytab("pop.keytab", "pop/localhost"),
      realms: [],
      userTemplate: "{name}",
      extendedProtection: "none",
      nameSeparators: [],
      replayCache: join(folder, "replays"),
    };
    const kerberos = new Kerberos(options);
    try {
      await body({
        realm,
        kerberos,
        options,
        cache: realm.login("alice"),
        begin(changed = {}, channel) {
          kerberos.configure({ ...options, ...changed });
          const acceptor = kerberos.acceptorFor({ address: "192.0.2.1", channel });
          return gssapiMechanism(DESK, acceptor).start();
        },
        reasons: () =>
          records.map(({ properties }) => `${properties["reason"]}: ${properties["detail"]}`),
      });
    } finally {
      await kerberos.close();
      await realm.stop();
      await reset();
    }
  });
}

/** Lets in whoever has proved to be somebody, and tells as whom. */
const DESK = {
  admit: (user: string, actAs = "") => Promise.resolve(granted(user, actAs)),
  refuse: () => Promise.resolve({ kind: "refused" }),
} as unknown as LoginDesk;

function granted(user: string, actAs = ""): LoginOutcome {
  const account = { user: actAs === "" ? user : `${user} as ${actAs}`, home: "/" };
  return { kind: "granted", account } as unknown as LoginOutcome;
}

/** Goes through an exchange as RFC 4752 §3.1 has it for the client. */
async function complete(
  client: Initiator,
  exchange: Exchange,
  last: (client: Initiator) => Uint8Array = (client) => client.wrap(NO_LAYER),
): Promise<Step> {
  let step = await exchange.next(client.next());
  for (let token; step.kind === "challenge";) {
    try {
      token = client.unwrap(step.octets);
    } catch {
      // Not an offer yet, so it is the server's part of the context.
      step = await exchange.next(client.next(step.octets));
      continue;
    }
    assert.deepEqual([...token], [...NO_LAYER], "what is offered is no layer and nothing else");
    return await exchange.next(last(client));
  }
  return step;
}

const done = (user: string, outcome: LoginOutcome): Step => ({ kind: "done", user, outcome });
const REFUSED = done("", { kind: "refused" });
const UNAVAILABLE = done("", { kind: "unavailable" });

function assertTold(stage: Stage, pattern: RegExp): void {
  assert.match(stage.reasons().join("\n"), pattern);
}

kerberosTest("a ticket lets its principal in", async ({ cache, begin }) => {
  assert.deepEqual(
    await complete(new Initiator({ cache }), begin()),
    done("alice", granted("alice")),
  );
});

kerberosTest(
  "so it does where the client has the server prove itself",
  async ({ cache, begin }) => {
    const client = new Initiator({ cache, mutual: true });
    assert.deepEqual(await complete(client, begin()), done("alice", granted("alice")));
  },
);

kerberosTest("the template makes the user's name of the principal", async ({ cache, begin }) => {
  const step = await complete(new Initiator({ cache }), begin({ userTemplate: "{name}@{realm}" }));
  assert.deepEqual(step, done("alice@EXAMPLE.ORG", granted("alice@EXAMPLE.ORG")));
});

kerberosTest("the identity that the client wants is the desk's to judge", async (stage) => {
  const wanted = Buffer.concat([NO_LAYER, Buffer.from("bob")]);
  const client = new Initiator({ cache: stage.cache });
  const step = await complete(client, stage.begin(), (client) => client.wrap(wanted, true));
  assert.deepEqual(step, done("alice", granted("alice", "bob")));
});

kerberosTest("several clients at once do not get into each other's way", async (stage) => {
  stage.realm.add("bob");
  const bobs = stage.realm.login("bob");
  const users = Array.from({ length: 20 }, (_, i) => i % 2 === 0 ? "alice" : "bob");
  const steps = await Promise.all(users.map((user) => {
    const client = new Initiator({ cache: user === "bob" ? bobs : stage.cache, mutual: true });
    return complete(client, stage.begin());
  }));
  assert.deepEqual(steps, users.map((user) => done(user, granted(user))));
});

kerberosTest("any host's key of the service will do", async ({ realm, cache, begin }) => {
  realm.add("pop/other.example.org", "imap/localhost");
  const keytab = realm.keytab("all.keytab", "imap/localhost", "pop/other.example.org");
  const token = new HeldTicket(cache, "pop/other.example.org").token();
  assert.equal((await begin({ keytab }).next(token)).kind, "challenge");
});

kerberosTest("a token that was used before is refused", async (stage) => {
  const token = new HeldTicket(stage.cache, "pop/localhost").token();
  assert.equal((await stage.begin().next(token)).kind, "challenge");
  assert.deepEqual(await stage.begin().next(token), REFUSED);
  assertTold(stage, /the token was used before/);
});

kerberosTest("so it is after the server was started anew", async (stage) => {
  const token = new HeldTicket(stage.cache, "pop/localhost").token();
  assert.equal((await stage.begin().next(token)).kind, "challenge");
  await stage.kerberos.close();
  const second = new Kerberos(stage.options);
  const acceptor = second.acceptorFor({ address: "192.0.2.2", channel: undefined });
  const step = await gssapiMechanism(DESK, acceptor).start().next(token);
  await second.close();
  assert.deepEqual(step, REFUSED);
});

kerberosTest("a ticket for another service is refused, also with that one's key", async (stage) => {
  stage.realm.add("imap/localhost");
  const keytab = stage.realm.keytab("both.keytab", "pop/localhost", "imap/localhost");
  const ticket = new HeldTicket(stage.cache, "imap/localhost");
  assert.deepEqual(await stage.begin().next(ticket.token()), REFUSED);
  assert.deepEqual(await stage.begin({ keytab }).next(ticket.token()), REFUSED);
  assertTold(stage, /for another service.*\n.*for another service/);
});

kerberosTest("an expired ticket is refused, and one from a wrong clock", async (stage) => {
  const { realm, begin } = stage;
  setLibraryEnvironment("KRB5_CONFIG", realm.strictSettingsFile(1));
  const short = new HeldTicket(realm.login("alice", "2s"), "pop/localhost");
  const early = new HeldTicket(stage.cache, "pop/localhost").token();
  assert.equal((await begin().next(short.token())).kind, "challenge");
  await sleep(4_500);
  assert.deepEqual(await begin().next(short.token()), REFUSED);
  assertTold(stage, /the ticket has expired/);
  assert.deepEqual(await begin().next(early), REFUSED);
  assertTold(stage, /the client's clock and ours differ too much/);
});

kerberosTest("a changed keytab holds at once, for tickets of before and after", async (stage) => {
  const { realm, begin, options } = stage;
  const old = new HeldTicket(stage.cache, "pop/localhost");
  realm.changeKey("pop/localhost");
  const fresh = new HeldTicket(realm.login("alice"), "pop/localhost");
  assert.deepEqual(await begin().next(fresh.token()), REFUSED);
  assertTold(stage, /keytab old\?/);
  assert.equal((await begin().next(old.token())).kind, "challenge");
  // Adds the new key to the same file, as an operator does.
  realm.keytab("pop.keytab", "pop/localhost");
  assert.equal((await begin().next(fresh.token())).kind, "challenge");
  assert.equal((await begin({ keytab: options.keytab }).next(old.token())).kind, "challenge");
});

kerberosTest("who forged a key is refused", async (stage) => {
  const { realm, begin } = stage;
  const ticket = new HeldTicket(stage.cache, "pop/localhost");
  const keytab = join(realm.folder, "forged.keytab");
  writeFileSync(keytab, withOtherKeys(readFileSync(stage.options.keytab)));
  assert.deepEqual(await begin({ keytab }).next(ticket.token()), REFUSED);
  assertTold(stage, /does not open with the keytab's key/);
});

/** A keytab with the same names and numbers, and keys that differ by a bit. */
function withOtherKeys(keytab: Buffer): Buffer {
  const forged = Buffer.from(keytab);
  for (let at = 2; at < forged.length;) {
    at += 4 + forged.readInt32BE(at);
    // Behind the key there is only its number, once more.
    forged[at - 5]! ^= 1;
  }
  return forged;
}

kerberosTest("principals with an instance are refused", async (stage) => {
  stage.realm.add("alice/admin", "host/localhost");
  for (const principal of ["alice/admin", "host/localhost"]) {
    const cache = stage.realm.login(principal);
    assert.deepEqual(await stage.begin().next(new Initiator({ cache }).next()), REFUSED);
  }
  assertTold(stage, /none of a user/);
});

kerberosTest(
  "principals whose names mean more here than in Kerberos are refused",
  async (stage) => {
    const separated = "alice-admin";
    const odd = ["alice*admin", "alice+Work", "alice\\@example.com", "a\\ b"];
    for (const principal of [...odd, separated]) {
      stage.realm.add(principal);
      const cache = stage.realm.login(principal);
      const exchange = stage.begin({ nameSeparators: ["-"] });
      assert.deepEqual(await exchange.next(new Initiator({ cache }).next()), REFUSED, principal);
    }
    const cache = stage.realm.login(separated);
    assert.equal((await stage.begin().next(new Initiator({ cache }).next())).kind, "challenge");
  },
);

kerberosTest("a realm that is not among those that may log in is refused", async (stage) => {
  const exchange = stage.begin({ realms: ["OTHER.ORG"] });
  assert.deepEqual(await exchange.next(new Initiator({ cache: stage.cache }).next()), REFUSED);
  assertTold(stage, /not among gssapi_realms/);
});

kerberosTest(
  "layers that were not offered, and choices that are not protected, let nobody in",
  async (stage) => {
    for (const layer of [2, 4, 7]) {
      const client = new Initiator({ cache: stage.cache });
      const chosen = Uint8Array.of(layer, 0, 16, 0);
      const step = await complete(client, stage.begin(), (client) => client.wrap(chosen));
      assert.deepEqual(step, { kind: "malformed" });
    }
    const client = new Initiator({ cache: stage.cache });
    assert.deepEqual(
      await complete(client, stage.begin(), () => NO_LAYER),
      done("alice", { kind: "refused" }),
    );
    const stranger = new Initiator({ cache: stage.cache });
    stranger.next();
    const step = await complete(
      new Initiator({ cache: stage.cache }),
      stage.begin(),
      () => stranger.wrap(NO_LAYER),
    );
    assert.deepEqual(step, done("alice", { kind: "refused" }));
  },
);

kerberosTest("a token is no token any more once an octet is changed", async (stage) => {
  const token = new HeldTicket(stage.cache, "pop/localhost").token();
  assert.equal((await stage.begin().next(token)).kind, "challenge");
  let begun = 0;
  for (let at = 0; at < token.length; at++) {
    const changed = Uint8Array.from(token);
    changed[at]! ^= 1 + at % 255;
    const exchange = stage.begin();
    const step = await exchange.next(changed);
    assert.notEqual(step.kind === "done" && step.outcome.kind, "granted", `octet ${at}`);
    // A token of another kind may begin a context that does not come to stand.
    if (step.kind !== "challenge") continue;
    begun++;
    assert.equal(step.octets.length, 0, `octet ${at}`);
    assert.equal((await exchange.next(NO_LAYER)).kind, "done", `octet ${at}`);
  }
  assert.ok(begun < 10, `${begun} tokens began a context`);
});

kerberosTest("of 3,000 mutated tokens none lets in, and none does harm", async (stage) => {
  const token = new HeldTicket(stage.cache, "pop/localhost").token();
  // Used once, so that a mutation that changes nothing is no right token either.
  assert.equal((await stage.begin().next(token)).kind, "challenge");
  const seed = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const mutator = new Mutator(seed);
  for (let run = 0; run < 3_000; run++) {
    const exchange = stage.begin();
    let step = await exchange.next(mutator.change(token));
    if (step.kind === "challenge") step = await exchange.next(mutator.perhaps(NO_LAYER));
    const outcome = step.kind === "done" ? step.outcome.kind : step.kind;
    assert.notEqual(outcome, "granted", `seed ${seed}, run ${run}`);
    exchange.abandon?.();
  }
  const right = new HeldTicket(stage.cache, "pop/localhost").token();
  assert.equal((await stage.begin().next(right)).kind, "challenge", "right ones are still taken");
});

kerberosTest("garbage is refused, whatever its length", async (stage) => {
  const token = new HeldTicket(stage.cache, "pop/localhost").token();
  const garbage = [
    Uint8Array.of(0),
    Buffer.from("TlRMTVNTUAAB"),
    Buffer.alloc(65_536, 0x60),
    Buffer.alloc(65_536),
    token.subarray(0, 20),
    token.subarray(0, token.length - 1),
    Buffer.concat([token, Uint8Array.of(0)]),
  ];
  for (const octets of garbage) {
    assert.deepEqual(await stage.begin().next(octets), REFUSED, `${octets.length} octets`);
  }
  assertTold(stage, /no Kerberos token/);
});

kerberosTest("a keytab that cannot be used is an outage, and told", async (stage) => {
  const { realm, begin, kerberos, options } = stage;
  realm.add("imap/localhost");
  const noKeytab = join(realm.folder, "no.keytab");
  writeFileSync(noKeytab, "hello");
  const keytabs: [string, RegExp][] = [
    [join(realm.folder, "missing.keytab"), /no such file|not found/i],
    [noKeytab, /no keytab/],
    [realm.keytab("imap.keytab", "imap/localhost"), /no key of the service "pop"/],
  ];
  for (const [keytab, reason] of keytabs) {
    assert.deepEqual(
      await begin({ keytab }).next(new Initiator({ cache: stage.cache }).next()),
      UNAVAILABLE,
    );
    assert.match(await kerberos.check() ?? "", reason);
    assertTold(stage, reason);
  }
  kerberos.configure(options);
  assert.equal(await kerberos.check(), undefined);
});

kerberosTest(
  "used tokens that cannot be written down are an outage, and nobody gets in",
  async (stage) => {
    const replayCache = join(stage.realm.folder, "folder");
    mkdirSync(replayCache);
    const token = new Initiator({ cache: stage.cache }).next();
    assert.deepEqual(await stage.begin({ replayCache }).next(token), UNAVAILABLE);
    assert.match(await stage.kerberos.check() ?? "", /used tokens cannot be written down/);
  },
);

kerberosTest("channel bindings have to be right, or there, as the settings say", async (stage) => {
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
  });
  const certificate = new X509Certificate(made.cert).raw;
  const binding = Buffer.concat([
    Buffer.from("tls-server-end-point:"),
    serverEndPoint(certificate)!,
  ]);
  const channel: SecureChannel = {
    serverCertificate: certificate,
    clientCertificate: undefined,
    exporter: () => undefined,
  };
  const right = { channelBinding: binding };
  const wrong = { channelBinding: Buffer.from("tls-server-end-point:of somebody else's TLS") };
  const isTaken = async (extendedProtection: "none" | "allow" | "require", sent: object) => {
    const token = new Initiator({ cache: stage.cache, ...sent }).next();
    return (await stage.begin({ extendedProtection }, channel).next(token)).kind === "challenge";
  };
  for (const sent of [{}, right, wrong]) assert.equal(await isTaken("none", sent), true);
  assert.equal(await isTaken("allow", {}), true);
  assert.equal(await isTaken("allow", right), true);
  assert.equal(await isTaken("allow", wrong), false);
  assertTold(stage, /bound to another TLS connection/);
  assert.equal(await isTaken("require", {}), false);
  assertTold(stage, /has not bound itself/);
  assert.equal(await isTaken("require", right), true);
  assert.equal(await isTaken("require", wrong), false);
});
