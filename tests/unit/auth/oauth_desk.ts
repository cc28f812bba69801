/** A login desk that knows alice, bob and a shared mailbox of alice's, and keeps what it was asked. */

import type { LoginDesk, LoginOutcome } from "../../../src/auth/login.ts";

export const ALICE: LoginOutcome = {
  kind: "granted",
  account: { user: "alice@example.com", extra: {} },
};

export const SHARED: LoginOutcome = {
  kind: "granted",
  account: { user: "sales@example.com", extra: {} },
  actedBy: "alice@example.com",
};

export class TestDesk implements LoginDesk {
  /** Calls of admit and refuse, in order. */
  readonly asked: string[][] = [];
  /** What the last `refuse` was told of. */
  tried: Uint8Array | undefined;
  /** What `refuse` gives. */
  refusal: LoginOutcome = { kind: "refused" };

  checkPassword(): never {
    throw new Error("A bearer token is no password");
  }

  // Who has asked is taken for a guesser, and would be kept out with a right token while others guess.
  secretsOf(): never {
    throw new Error("A bearer token is held against no secret");
  }

  admit(user: string, actAs?: string): Promise<LoginOutcome> {
    this.asked.push(["admit", user, ...(actAs === undefined ? [] : [actAs])]);
    if (user === "mallory@example.com") return Promise.resolve({ kind: "disabled" });
    if (user.toLowerCase() !== "alice@example.com") return Promise.resolve({ kind: "refused" });
    if (actAs === undefined) return Promise.resolve(ALICE);
    return Promise.resolve(actAs === "sales@example.com" ? SHARED : { kind: "refused" });
  }

  refuse(user: string, tried?: Uint8Array): Promise<LoginOutcome> {
    this.asked.push(["refuse", user]);
    this.tried = tried;
    return Promise.resolve(this.refusal);
  }

  madeUp(): Uint8Array {
    return new Uint8Array(32);
  }
}
