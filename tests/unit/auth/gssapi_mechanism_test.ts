import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { LoginDesk } from "../../../src/auth/login.ts";
import type { Exchange } from "../../../src/auth/mechanism.ts";
import {
  type Accepted,
  type GssapiContext,
  gssapiMechanism,
} from "../../../src/auth/mechanisms/gssapi.ts";
import { GSSAPI_RESPONSE_OCTETS, GSSAPI_TOKENS, USER_NAME_OCTETS } from "../../../src/limits.ts";

const octets = (text: string) => new TextEncoder().encode(text);
const NOTHING = new Uint8Array();
const OFFER = Uint8Array.of(1, 0, 0, 0);

/** A client's choice of layer and authorization identity. */
const choice = (layer: number, authzid = "", size = 0) =>
  Buffer.concat([Uint8Array.of(layer, size >> 16, size >> 8 & 0xff, size & 0xff), octets(authzid)]);

/** A context that "protects" by a prefix, and takes a token's text for what is to come of it. */
class ScriptedContext implements GssapiContext {
  readonly told: string[] = [];
  releases = 0;
  wrapFails = false;

  accept(token: Uint8Array): Promise<Accepted> {
    const [kind, answer = "", user = "alice"] = Buffer.from(token).toString().split(" ");
    const principal = `${user}@EXAMPLE.ORG`;
    switch (kind) {
      case "continue":
        return Promise.resolve({ kind, token: octets(answer) });
      case "complete":
        return Promise.resolve({ kind, token: octets(answer), user, principal });
      case "unavailable":
        return Promise.resolve({ kind });
      default:
        return Promise.resolve({ kind: "refused", user: answer });
    }
  }

  wrap(message: Uint8Array): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.wrapFails ? undefined : protect(message));
  }

  unwrap(token: Uint8Array): Promise<Uint8Array | undefined> {
    const isOurs = Buffer.from(token.subarray(0, 2)).toString() === "W:";
    return Promise.resolve(isOurs ? token.subarray(2) : undefined);
  }

  release(): void {
    this.releases++;
  }

  tell(reason: string): void {
    this.told.push(reason);
  }
}

const protect = (message: Uint8Array) => Buffer.concat([octets("W:"), message]);

interface Begun {
  readonly exchange: Exchange;
  readonly context: ScriptedContext;
  /** What the desk was asked. */
  readonly asked: string[];
}

function begin(): Begun {
  const context = new ScriptedContext();
  const asked: string[] = [];
  const desk = {
    admit(user: string, actAs?: string) {
      asked.push(`admit ${user} as ${actAs ?? "itself"}`);
      return Promise.resolve({ kind: "granted", account: { user, home: "/" } });
    },
    refuse(user: string) {
      asked.push(`refuse "${user}"`);
      return Promise.resolve({ kind: "refused" });
    },
  } as unknown as LoginDesk;
  const exchange = gssapiMechanism(desk, { begin: () => context }).start();
  return { exchange, context, asked };
}

/** An exchange in which it is the client's turn to choose a layer. */
async function beginAndOffer(): Promise<Begun> {
  const begun = begin();
  deepStrictEqual(await begun.exchange.next(octets("complete")), {
    kind: "challenge",
    octets: protect(OFFER),
  });
  return begun;
}

test("it is called GSSAPI, shows no password and takes responses of 64 KiB", () => {
  const mechanism = gssapiMechanism({} as LoginDesk, { begin: () => new ScriptedContext() });
  strictEqual(mechanism.name, "GSSAPI");
  strictEqual(mechanism.plaintext, false);
  strictEqual(mechanism.maxResponseOctets, 65_536);
});

test("a client without an initial response is asked by an empty challenge", async () => {
  const { exchange } = begin();
  deepStrictEqual(await exchange.next(undefined), { kind: "challenge", octets: NOTHING });
});

test("tokens go to and fro until the context stands", async () => {
  const { exchange } = begin();
  deepStrictEqual(await exchange.next(octets("continue one")), {
    kind: "challenge",
    octets: octets("one"),
  });
  deepStrictEqual(await exchange.next(octets("complete")), {
    kind: "challenge",
    octets: protect(OFFER),
  });
});

test("RFC 4752 §3.2: after a last token of ours the client answers with nothing", async () => {
  const { exchange } = begin();
  deepStrictEqual(await exchange.next(octets("complete last")), {
    kind: "challenge",
    octets: octets("last"),
  });
  deepStrictEqual(await exchange.next(NOTHING), { kind: "challenge", octets: protect(OFFER) });
});

test("something in the place of that nothing is malformed, and lets nobody in", async () => {
  const { exchange, context, asked } = begin();
  await exchange.next(octets("complete last"));
  deepStrictEqual(await exchange.next(protect(choice(1))), { kind: "malformed" });
  deepStrictEqual(asked, []);
  ok(context.releases > 0);
});

test("who chooses no layer and no identity is admitted as itself", async () => {
  const { exchange, context, asked } = await beginAndOffer();
  const step = await exchange.next(protect(choice(1)));
  strictEqual(step.kind, "done");
  deepStrictEqual(asked, ["admit alice as itself"]);
  ok(context.releases > 0);
});

test("the identity that the client wants goes to the desk", async () => {
  const { exchange, asked } = await beginAndOffer();
  await exchange.next(protect(choice(1, "bob")));
  deepStrictEqual(asked, ["admit alice as bob"]);
});

test("a client that names its own principal, in whatever case, wants to be itself", async () => {
  for (const own of ["alice@EXAMPLE.ORG", "alice@example.org"]) {
    const { exchange, asked } = await beginAndOffer();
    await exchange.next(protect(choice(1, own)));
    deepStrictEqual(asked, ["admit alice as itself"]);
  }
  const { exchange, asked } = await beginAndOffer();
  await exchange.next(protect(choice(1, "alice@example.com")));
  deepStrictEqual(asked, ["admit alice as alice@example.com"]);
});

test("the size that a client names for no layer does not matter", async () => {
  const { exchange, asked } = await beginAndOffer();
  await exchange.next(protect(choice(1, "", 0xffff)));
  deepStrictEqual(asked, ["admit alice as itself"]);
});

for (const layer of [0, 2, 3, 4, 5, 7, 255]) {
  test(`layer ${layer}, which was not offered, is refused and told`, async () => {
    const { exchange, context, asked } = await beginAndOffer();
    deepStrictEqual(await exchange.next(protect(choice(layer))), { kind: "malformed" });
    strictEqual(context.told.length, 1);
    deepStrictEqual(asked, []);
  });
}

test("a choice of less than four octets is malformed", async () => {
  for (const length of [0, 1, 2, 3]) {
    const { exchange, asked } = await beginAndOffer();
    const step = await exchange.next(protect(OFFER.subarray(0, length)));
    deepStrictEqual(step, { kind: "malformed" });
    deepStrictEqual(asked, []);
  }
});

test("an identity that is no UTF-8, has a NUL in it or is too long is malformed", async () => {
  const identities = [
    Uint8Array.of(0xff),
    octets("al\0ice"),
    octets("a".repeat(USER_NAME_OCTETS + 1)),
  ];
  for (const identity of identities) {
    const { exchange, asked } = await beginAndOffer();
    const step = await exchange.next(protect(Buffer.concat([OFFER, identity])));
    deepStrictEqual(step, { kind: "malformed" });
    deepStrictEqual(asked, []);
  }
});

test("a choice that is not protected by the context is a failed login of that user", async () => {
  const { exchange, context, asked } = await beginAndOffer();
  deepStrictEqual(await exchange.next(choice(1)), {
    kind: "done",
    user: "alice",
    outcome: { kind: "refused" },
  });
  deepStrictEqual(asked, ['refuse "alice"']);
  ok(context.releases > 0);
});

test("a token that is refused is a failed login", async () => {
  const { exchange, context, asked } = begin();
  deepStrictEqual(await exchange.next(octets("refused")), {
    kind: "done",
    user: "",
    outcome: { kind: "refused" },
  });
  deepStrictEqual(asked, ['refuse ""']);
  ok(context.releases > 0);
});

test("an outage of ours is no failed login", async () => {
  const { exchange, context, asked } = begin();
  deepStrictEqual(await exchange.next(octets("unavailable")), {
    kind: "done",
    user: "",
    outcome: { kind: "unavailable" },
  });
  deepStrictEqual(asked, []);
  ok(context.releases > 0);
});

test("an offer that cannot be protected is an outage of ours", async () => {
  const { exchange, context } = begin();
  context.wrapFails = true;
  deepStrictEqual(await exchange.next(octets("complete")), {
    kind: "done",
    user: "alice",
    outcome: { kind: "unavailable" },
  });
});

test("an empty token, which comes from a client without a ticket, is malformed", async () => {
  const { exchange, asked } = begin();
  await exchange.next(undefined);
  deepStrictEqual(await exchange.next(NOTHING), { kind: "malformed" });
  deepStrictEqual(asked, []);
});

test("a context that does not come to stand after so many tokens is given up", async () => {
  const { exchange, context } = begin();
  for (let i = 0; i < GSSAPI_TOKENS; i++) {
    strictEqual((await exchange.next(octets("continue more"))).kind, "challenge");
  }
  deepStrictEqual(await exchange.next(octets("continue more")), { kind: "malformed" });
  ok(context.releases > 0);
});

test("a response of 64 KiB is looked at, a longer one is not", async () => {
  const longest = Buffer.concat([
    octets("complete "),
    Buffer.alloc(GSSAPI_RESPONSE_OCTETS - 9, "x"),
  ]);
  strictEqual((await begin().exchange.next(longest)).kind, "challenge");
  const longer = Buffer.concat([longest, octets("x")]);
  deepStrictEqual(await begin().exchange.next(longer), { kind: "malformed" });
});

test("nothing goes on after the end", async () => {
  const { exchange, asked } = await beginAndOffer();
  await exchange.next(protect(choice(1)));
  deepStrictEqual(await exchange.next(protect(choice(1))), { kind: "malformed" });
  deepStrictEqual(await exchange.next(octets("complete")), { kind: "malformed" });
  strictEqual(asked.length, 1);
});

test("a cancelled exchange gives back its context, and goes on for nobody", async () => {
  const { exchange, context, asked } = await beginAndOffer();
  strictEqual(context.releases, 0);
  exchange.abandon?.();
  strictEqual(context.releases, 1);
  exchange.abandon?.();
  deepStrictEqual(await exchange.next(protect(choice(1))), { kind: "malformed" });
  deepStrictEqual(asked, []);
});

test("one exchange's context is not another's", () => {
  let begun = 0;
  const mechanism = gssapiMechanism({} as LoginDesk, {
    begin() {
      begun++;
      return new ScriptedContext();
    },
  });
  mechanism.start();
  mechanism.start();
  strictEqual(begun, 2);
});
