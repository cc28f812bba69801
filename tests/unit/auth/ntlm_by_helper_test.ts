/** Whole exchanges of the mechanism NTLM over a helper; what the helper itself does is another test's. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  type HelperVerdict,
  ntlmByHelperMechanism,
  type NtlmByHelperOptions,
  type NtlmHelper,
} from "../../../src/auth/mechanisms/ntlm_by_helper.ts";
import { ntlmMechanism } from "../../../src/auth/mechanisms/ntlm.ts";
import type { NtlmRefusal } from "../../../src/auth/ntlm/judgement.ts";
import { userOfDomain } from "../../../src/auth/ntlm/names_to_ask.ts";
import {
  authenticateMessage,
  type ClientHabits,
  negotiateMessage,
} from "../../support/ntlm_client.ts";
import { NTLM_OPTIONS, NtlmDesk, ntlmLogin } from "../../support/ntlm_desk.ts";

const ALICE = { user: "alice", password: "SecREt01", domain: "EXAMPLE" };

/** A challenge as our own server makes it; the helper's own looks no different. */
async function someChallenge(): Promise<Uint8Array> {
  const step = await ntlmMechanism(new NtlmDesk({}), NTLM_OPTIONS)!.start()
    .next(negotiateMessage());
  ok(step.kind === "challenge");
  return step.octets;
}

/** A helper that gives one verdict and writes down what it is asked. */
class FakeHelper implements NtlmHelper {
  readonly asked: string[] = [];
  readonly #verdict: HelperVerdict;
  fault: "malformed" | "unavailable" | undefined;

  constructor(verdict: HelperVerdict = { kind: "right", name: "EXAMPLE\\alice" }) {
    this.#verdict = verdict;
  }

  async begin() {
    this.asked.push("begin");
    if (this.fault !== undefined) return { kind: this.fault };
    const octets = await someChallenge();
    let finished = false;
    return {
      kind: "challenge",
      octets,
      finish: () => {
        finished = true;
        this.asked.push("finish");
        return Promise.resolve(this.#verdict);
      },
      release: () => {
        if (!finished) this.asked.push("release");
      },
    } as const;
  }
}

const newDesk = () => new NtlmDesk({ alice: undefined, "alice@other": undefined });

function mechanismOver(
  desk: NtlmDesk,
  helper: NtlmHelper,
  more: Partial<NtlmByHelperOptions> = {},
) {
  return ntlmByHelperMechanism(desk, {
    helper,
    address: "192.0.2.1",
    netbiosDomain: "EXAMPLE",
    extendedProtection: "none",
    channel: undefined,
    ...more,
  })!;
}

test("who is right for the helper is admitted under the name that the domain gives", async () => {
  for (const [name, user] of [["EXAMPLE\\alice", "alice"], ["Other\\alice", "alice@other"]]) {
    const desk = newDesk();
    const helper = new FakeHelper({ kind: "right", name: name! });
    const { step } = await ntlmLogin(mechanismOver(desk, helper), { ...ALICE, user: "ALICE" });
    ok(step.kind === "done" && step.outcome.kind === "granted");
    strictEqual(step.user, "EXAMPLE\\ALICE");
    deepStrictEqual(desk.asked, ["secretsOf ALICE", `admit ${user}, vouched for`]);
  }
});

test("users of two domains are never one", () => {
  const cases = [
    ["EXAMPLE\\alice", "alice"],
    ["example\\alice", "alice"],
    ["\\alice", "alice"],
    ["alice", "alice"],
    ["OTHER\\alice", "alice@other"],
    ["OTHER\\a\\b", "a\\b@other"],
  ] as const;
  for (const [answer, user] of cases) strictEqual(userOfDomain(answer, "Example"), user);
});

test("who is wrong for the helper is refused, counted under the bare name", async () => {
  const desk = newDesk();
  const mechanism = mechanismOver(desk, new FakeHelper({ kind: "wrong" }));
  const { step } = await ntlmLogin(mechanism, { ...ALICE, domain: "any.where" });
  ok(step.kind === "done" && step.outcome.kind === "refused");
  deepStrictEqual(desk.asked, ["secretsOf alice", "refuse alice"]);
});

test("a helper that cannot tell is no wrong password, at either step", async () => {
  const desk = newDesk();
  const late = await ntlmLogin(mechanismOver(desk, new FakeHelper({ kind: "unavailable" })), ALICE);
  ok(late.step.kind === "done" && late.step.outcome.kind === "unavailable");
  deepStrictEqual(desk.asked, ["secretsOf alice"]);
  const helper = new FakeHelper();
  helper.fault = "unavailable";
  const step = await mechanismOver(desk, helper).start().next(negotiateMessage());
  ok(step.kind === "done" && step.outcome.kind === "unavailable");
});

test("a NEGOTIATE that the helper will not have, or that is none, is malformed", async () => {
  const helper = new FakeHelper();
  helper.fault = "malformed";
  const mechanism = mechanismOver(newDesk(), helper);
  strictEqual((await mechanism.start().next(negotiateMessage())).kind, "malformed");
  strictEqual((await mechanism.start().next(Buffer.from("hello"))).kind, "malformed");
  deepStrictEqual(helper.asked, ["begin"]);
});

test("where too many logins failed, the helper is not asked and its process is free", async () => {
  const desk = newDesk();
  desk.trouble = "delayed";
  const helper = new FakeHelper();
  const { step } = await ntlmLogin(mechanismOver(desk, helper), ALICE);
  ok(step.kind === "done" && step.outcome.kind === "delayed");
  deepStrictEqual(helper.asked, ["begin", "release"]);
});

test("NTLMv1, nobody and a foreign channel are refused before the helper is asked", async () => {
  const told: NtlmRefusal[] = [];
  const bindings = Buffer.alloc(16, 1);
  const tries: [typeof ALICE, ClientHabits][] = [
    [ALICE, { ntResponse: Buffer.alloc(24, 7) }],
    [{ ...ALICE, user: "" }, { ntResponse: Buffer.alloc(0) }],
    [ALICE, { channelBindings: bindings }],
  ];
  for (const [credentials, habits] of tries) {
    const helper = new FakeHelper();
    const mechanism = mechanismOver(newDesk(), helper, {
      extendedProtection: "allow",
      onRefusal: (_user, reason) => void told.push(reason),
    });
    const { step } = await ntlmLogin(mechanism, credentials, habits);
    ok(step.kind === "done" && step.outcome.kind === "refused");
    deepStrictEqual(helper.asked, ["begin", "release"]);
  }
  deepStrictEqual(told, [
    "LM or NTLMv1 response",
    "anonymous login",
    "channel bindings missing or not of this channel",
  ]);
});

test("an exchange that is given up gives the process back, whenever that is", async () => {
  const helper = new FakeHelper();
  const exchange = mechanismOver(newDesk(), helper).start();
  await exchange.next(negotiateMessage());
  exchange.abandon?.();
  deepStrictEqual(helper.asked, ["begin", "release"]);

  const early = new FakeHelper();
  const other = mechanismOver(newDesk(), early).start();
  const challenged = other.next(negotiateMessage());
  other.abandon?.();
  await challenged;
  deepStrictEqual(early.asked, ["begin", "release"]);
});

test("an AUTHENTICATE that is none is malformed and gives the process back", async () => {
  const helper = new FakeHelper();
  const exchange = mechanismOver(newDesk(), helper).start();
  await exchange.next(negotiateMessage());
  strictEqual((await exchange.next(Buffer.from("NTLMSSP\0"))).kind, "malformed");
  deepStrictEqual(helper.asked, ["begin", "release"]);
});

test("an exchange is used once", async () => {
  const helper = new FakeHelper();
  const mechanism = mechanismOver(newDesk(), helper);
  const { exchange, negotiate, challenge } = await ntlmLogin(mechanism, ALICE);
  const again = await authenticateMessage(ALICE, negotiate, challenge);
  for (const message of [again, negotiate, undefined]) {
    strictEqual((await exchange.next(message)).kind, "malformed");
  }
  deepStrictEqual(helper.asked, ["begin", "finish"]);
});

test("it is not offered where its extended protection cannot be had", () => {
  const more = { extendedProtection: "require", channel: undefined } as const;
  const options = {
    helper: new FakeHelper(),
    address: "192.0.2.1",
    netbiosDomain: "EXAMPLE",
    ...more,
  };
  strictEqual(ntlmByHelperMechanism(newDesk(), options), undefined);
});
