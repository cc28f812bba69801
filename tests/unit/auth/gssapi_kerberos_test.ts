import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import type { BlockingCalls } from "../../../src/auth/blocking_calls.ts";
import type { GssapiAnswer, GssapiJob } from "../../../src/auth/gssapi/job.ts";
import { Kerberos } from "../../../src/auth/gssapi/kerberos.ts";
import type { KerberosOptions } from "../../../src/auth/gssapi/kerberos_options.ts";
import { openGssapi } from "../../../src/auth/gssapi/library.ts";
import { GSSAPI_RECHECK_MS } from "../../../src/limits.ts";

const octets = (text: string) => new TextEncoder().encode(text);
const NOTHING = new Uint8Array();

const OPTIONS: KerberosOptions = {
  keytab: "/etc/popkeep.keytab",
  realms: [],
  userTemplate: "{name}",
  extendedProtection: "none",
  nameSeparators: ["+"],
};

const COMPLETE: GssapiAnswer = {
  kind: "complete",
  context: 7n,
  token: NOTHING,
  principal: octets("alice@EXAMPLE.ORG"),
  anonymous: false,
  bound: false,
  realms: ["EXAMPLE.ORG"],
};

/** Stands for the threads: writes down the jobs, and answers each as the test says. */
class ScriptedCalls {
  readonly jobs: GssapiJob[] = [];
  answer: (job: GssapiJob) => GssapiAnswer | undefined | Promise<GssapiAnswer | undefined>;
  /** Jobs that could not be turned away. */
  anyway = 0;

  constructor(answer: ScriptedCalls["answer"]) {
    this.answer = answer;
  }

  async call(job: GssapiJob): Promise<GssapiAnswer | undefined> {
    this.jobs.push(job);
    return await this.answer(job);
  }

  callAnyway(job: GssapiJob): Promise<GssapiAnswer | undefined> {
    this.anyway++;
    return this.call(job);
  }

  async close(): Promise<void> {}

  get released(): bigint[] {
    return this.jobs.flatMap((job) => job.kind === "release" ? [job.context] : []);
  }
}

interface Setting {
  readonly kerberos: Kerberos;
  readonly calls: ScriptedCalls;
  readonly clock: { ms: number };
}

function setUp(
  answer: ScriptedCalls["answer"],
  options: Partial<KerberosOptions> = {},
  loadLibrary: () => unknown = () => "loaded",
): Setting {
  const calls = new ScriptedCalls(answer);
  const clock = { ms: 0 };
  const kerberos = new Kerberos({ ...OPTIONS, ...options }, {
    calls: calls as unknown as BlockingCalls<GssapiJob, GssapiAnswer>,
    nowMs: () => clock.ms,
    loadLibrary,
  });
  return { kerberos, calls, clock };
}

const CLIENT = { address: "192.0.2.1", channel: undefined };
const begin = ({ kerberos }: Setting, client: Parameters<Kerberos["acceptorFor"]>[0] = CLIENT) =>
  kerberos.acceptorFor(client).begin();

const settled = () => new Promise((done) => setTimeout(done, 5));

test("a principal of the keytab's realm is a user", async () => {
  const context = begin(setUp(() => COMPLETE, { userTemplate: "{name}@{realm}" }));
  deepStrictEqual(await context.accept(octets("token")), {
    kind: "complete",
    token: NOTHING,
    user: "alice@EXAMPLE.ORG",
    principal: "alice@EXAMPLE.ORG",
  });
});

test("the token and the settings go to the thread", async () => {
  const setting = setUp(() => COMPLETE, { replayCache: "/var/lib/popkeep/replays" });
  await begin(setting).accept(octets("token"));
  deepStrictEqual(setting.calls.jobs, [{
    kind: "accept",
    use: { keytab: "/etc/popkeep.keytab", replayCache: "/var/lib/popkeep/replays" },
    context: 0n,
    token: octets("token"),
    channelBinding: undefined,
  }]);
});

test("a principal of another realm than the keytab's is refused", async () => {
  const context = begin(setUp(() => ({ ...COMPLETE, realms: ["OTHER.ORG"] })));
  strictEqual((await context.accept(octets("token"))).kind, "refused");
});

test("where realms are set, they count and not the keytab's", async () => {
  const listed = begin(setUp(() => ({ ...COMPLETE, realms: [] }), { realms: ["EXAMPLE.ORG"] }));
  strictEqual((await listed.accept(octets("token"))).kind, "complete");
  const unlisted = begin(setUp(() => COMPLETE, { realms: ["OTHER.ORG", "example.org"] }));
  strictEqual((await unlisted.accept(octets("token"))).kind, "refused");
});

for (
  const principal of ["alice/admin@EXAMPLE.ORG", "host/x@EXAMPLE.ORG", "alice+Work@EXAMPLE.ORG"]
) {
  test(`${principal} is refused`, async () => {
    const context = begin(setUp(() => ({ ...COMPLETE, principal: octets(principal) })));
    deepStrictEqual(await context.accept(octets("token")), { kind: "refused", user: "" });
  });
}

test("who is anonymous is refused, whatever the name", async () => {
  const context = begin(setUp(() => ({ ...COMPLETE, anonymous: true })));
  strictEqual((await context.accept(octets("token"))).kind, "refused");
});

test("a failure of ours, and a call that comes to nothing, are outages", async () => {
  const answers = [{ kind: "failed", reason: "x", detail: "" } as const, undefined];
  for (const answer of answers) {
    const context = begin(setUp(() => answer));
    deepStrictEqual(await context.accept(octets("token")), { kind: "unavailable" });
  }
});

test("a context is given back once, by the thread", async () => {
  const setting = setUp(() => COMPLETE);
  const context = begin(setting);
  await context.accept(octets("token"));
  context.release();
  context.release();
  deepStrictEqual(setting.calls.released, [7n]);
});

test("a context that never was is not given back", async () => {
  const setting = setUp(() => ({ kind: "refused", reason: "x", detail: "" }));
  const context = begin(setting);
  await context.accept(octets("token"));
  context.release();
  deepStrictEqual(setting.calls.released, []);
});

test("a client that is gone while its token is looked at leaves no context behind", async () => {
  let answer: (answer: GssapiAnswer) => void = () => {};
  const setting = setUp((job) =>
    job.kind === "accept" ? new Promise((resolve) => answer = resolve) : { kind: "released" }
  );
  const context = begin(setting);
  const accepting = context.accept(octets("token"));
  await settled();
  context.release();
  deepStrictEqual(setting.calls.released, []);
  answer(COMPLETE);
  await accepting;
  deepStrictEqual(setting.calls.released, [7n]);
});

test("nothing is done with a context that was given back", async () => {
  const setting = setUp(() => COMPLETE);
  const context = begin(setting);
  await context.accept(octets("token"));
  context.release();
  strictEqual(await context.wrap(octets("x")), undefined);
  strictEqual(await context.unwrap(octets("x")), undefined);
  deepStrictEqual(await context.accept(octets("x")), { kind: "unavailable" });
  deepStrictEqual(setting.calls.jobs.map(({ kind }) => kind), ["accept", "release"]);
});

test("a context that a hanging thread may have is not touched again", async () => {
  const setting = setUp((job) => job.kind === "accept" ? COMPLETE : undefined);
  const context = begin(setting);
  await context.accept(octets("token"));
  strictEqual(await context.unwrap(octets("x")), undefined);
  context.release();
  deepStrictEqual(setting.calls.released, []);
});

test("a context goes on with the settings that it began with", async () => {
  const answers: GssapiAnswer[] = [
    { kind: "continue", context: 7n, token: octets("more") },
    COMPLETE,
  ];
  const setting = setUp(() => answers.shift());
  const context = begin(setting);
  await context.accept(octets("one"));
  setting.kerberos.configure({ ...OPTIONS, keytab: "/other", userTemplate: "other-{name}" });
  const accepted = await context.accept(octets("two"));
  strictEqual(accepted.kind === "complete" && accepted.user, "alice");
  const uses = setting.calls.jobs.map((job) => job.kind === "accept" && job.use.keytab);
  deepStrictEqual(uses, ["/etc/popkeep.keytab", "/etc/popkeep.keytab"]);
});

test("what begins may be turned away by a full queue, what goes on may not", async () => {
  const setting = setUp(() => ({ kind: "continue", context: 7n, token: NOTHING }));
  const context = begin(setting);
  await context.accept(octets("one"));
  strictEqual(setting.calls.anyway, 0);
  await context.accept(octets("two"));
  strictEqual(setting.calls.anyway, 1);
  context.release();
  strictEqual(setting.calls.anyway, 2);
});

test("where a binding is required and there is no TLS, nobody gets in", async () => {
  const setting = setUp(() => COMPLETE, { extendedProtection: "require" });
  strictEqual((await begin(setting).accept(octets("token"))).kind, "refused");
  deepStrictEqual(setting.calls.jobs, [], "the token is not looked at");
});

test("GSSAPI is offered once the library and the keytab were found to fit", async () => {
  const { kerberos } = setUp(() => ({ kind: "right", realms: ["EXAMPLE.ORG"] }));
  strictEqual(kerberos.usable, false);
  strictEqual(await kerberos.check(), undefined);
  strictEqual(kerberos.usable, true);
});

test("what is in the way is told in a sentence, and GSSAPI not offered", async () => {
  const { kerberos } = setUp(() => ({ kind: "failed", reason: "the keytab is", detail: "odd" }));
  strictEqual(await kerberos.check(), "the keytab is: odd");
  strictEqual(kerberos.usable, false);
});

test("what was in the way is looked at again, though not at once", async () => {
  const setting = setUp(() => ({ kind: "failed", reason: "x", detail: "" }));
  const { kerberos, calls, clock } = setting;
  await kerberos.check();
  calls.answer = () => ({ kind: "right", realms: [] });
  clock.ms += GSSAPI_RECHECK_MS - 1;
  strictEqual(kerberos.usable, false);
  await settled();
  strictEqual(calls.jobs.length, 1);
  clock.ms += 1;
  strictEqual(kerberos.usable, false);
  await settled();
  strictEqual(calls.jobs.length, 2);
  strictEqual(kerberos.usable, true);
});

test("a login that could not be checked is a reason to look again", async () => {
  const setting = setUp((job) =>
    job.kind === "check"
      ? { kind: "right", realms: [] }
      : { kind: "failed", reason: "x", detail: "" }
  );
  await setting.kerberos.check();
  setting.calls.answer = () => ({ kind: "failed", reason: "x", detail: "" });
  setting.clock.ms += GSSAPI_RECHECK_MS;
  await begin(setting).accept(octets("token"));
  await settled();
  strictEqual(setting.kerberos.usable, false);
});

test("where the library is missing the package is named, and no thread is asked", async () => {
  const setting = setUp(() => COMPLETE, {}, () => openGssapi(["libthere_is_no_such.so.9"]));
  match(await setting.kerberos.check() ?? "", /libgssapi-krb5-2/);
  deepStrictEqual(await begin(setting).accept(octets("token")), { kind: "unavailable" });
  deepStrictEqual(setting.calls.jobs, []);
});

test("nothing is loaded before it is asked for", () => {
  let loaded = 0;
  const { kerberos } = setUp(() => COMPLETE, {}, () => loaded++);
  kerberos.acceptorFor(CLIENT).begin();
  strictEqual(loaded, 0);
});

test("a template that gives no names is refused", () => {
  throws(() => setUp(() => COMPLETE, { userTemplate: "alice" }), RangeError);
  const { kerberos } = setUp(() => COMPLETE);
  throws(() => kerberos.configure({ ...OPTIONS, userTemplate: "{user}" }), RangeError);
});
