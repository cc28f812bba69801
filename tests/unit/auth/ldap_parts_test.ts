/** What the LDAP directories are made of, without a server. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  BindResponse,
  EqualityFilter,
  FilterParser,
  InvalidCredentialsError,
  ResultCodeError,
  StatusCodeParser,
} from "ldapts";
import { directBindName } from "../../../src/auth/directories/ldap.ts";
import { isOutOfUse } from "../../../src/auth/ldap/account_state.ts";
import { Attributes } from "../../../src/auth/ldap/attributes.ts";
import { BindTimes } from "../../../src/auth/ldap/bind_times.ts";
import { filledFilter } from "../../../src/auth/ldap/ldap_options.ts";
import { isLdapAnswer, verdictOfRefusal } from "../../../src/auth/ldap/results.ts";
import { oddName } from "../../support/directory_checks.ts";
import { testProperty } from "../../support/property.ts";

/** As a domain controller answers a bind. */
const refusalOfAd = (data: string) =>
  new InvalidCredentialsError(
    `80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data ${data}, v4563\0`,
  );

const answer = (status: number, errorMessage: string) =>
  StatusCodeParser.parse(new BindResponse({ messageId: 1, status, errorMessage }));

test("Active Directory's codes that only a right password gets are disabled, the others wrong", () => {
  for (const data of ["530", "531", "532", "533", "701", "773"]) {
    strictEqual(verdictOfRefusal(refusalOfAd(data)), "disabled", data);
  }
  for (const data of ["525", "52e", "775", "0", "5330"]) {
    strictEqual(verdictOfRefusal(refusalOfAd(data)), "wrong", data);
  }
});

test("a refusal that says nothing of the password is thrown on", () => {
  const cases: readonly (readonly [number, string, "wrong" | "thrown"])[] = [
    [19, "Exceed password retry limit. Please try later.", "wrong"],
    [32, "", "wrong"],
    [34, "invalid DN", "wrong"],
    [48, "", "wrong"],
    [49, "", "wrong"],
    [53, "Account inactivated. Contact system administrator.", "wrong"],
    [53, "", "thrown"],
    [1, "", "thrown"],
    [8, "stronger authentication required", "thrown"],
    [13, "TLS confidentiality required", "thrown"],
    [51, "", "thrown"],
    [52, "", "thrown"],
  ];
  for (const [code, text, expected] of cases) {
    const error = answer(code, text);
    if (expected === "wrong") strictEqual(verdictOfRefusal(error), "wrong", String(code));
    else throws(() => verdictOfRefusal(error), ResultCodeError);
  }
  throws(() => verdictOfRefusal(new Error("Connection closed")), /Connection closed/);
});

test("busy and unavailable are no answers, so that another server is asked", () => {
  for (const code of [3, 11, 51, 52]) {
    strictEqual(isLdapAnswer(answer(code, "")), false);
  }
  for (const code of [32, 49, 53]) strictEqual(isLdapAnswer(answer(code, "")), true);
  strictEqual(isLdapAnswer(new Error("no answer within 5 ms")), false);
});

test("the state of an account is read from its attributes", () => {
  const nowMs = Date.UTC(2026, 0, 2);
  const filetime = (ms: number) => String(BigInt(ms) * 10_000n + 116_444_736_000_000_000n);
  const cases: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
    [{}, false],
    [{ userAccountControl: "512" }, false],
    [{ userAccountControl: "514" }, true],
    [{ USERACCOUNTCONTROL: "514" }, true],
    [{ lockoutTime: "0" }, false],
    [{ lockoutTime: filetime(nowMs - 1) }, true],
    [{ lockoutTime: filetime(nowMs - 1), "msDS-User-Account-Control-Computed": "0" }, false],
    [{ "msDS-User-Account-Control-Computed": "16" }, true],
    [{ "msDS-User-Account-Control-Computed": "8388608" }, true],
    [{ pwdLastSet: "0" }, true],
    [{ pwdLastSet: "0", userAccountControl: "66048" }, false],
    [{ pwdLastSet: filetime(nowMs - 1) }, false],
    [{ accountExpires: "0" }, false],
    [{ accountExpires: "9223372036854775807" }, false],
    [{ accountExpires: filetime(nowMs) }, true],
    [{ accountExpires: filetime(nowMs + 1) }, false],
    [{ shadowExpire: "-1" }, false],
    [{ shadowExpire: String(nowMs / 86_400_000) }, true],
    [{ shadowExpire: String(nowMs / 86_400_000 + 1) }, false],
    [{ nsAccountLock: "TRUE" }, true],
    [{ nsAccountLock: "false" }, false],
    [{ pwdAccountLockedTime: "000001010000Z" }, true],
    [{ pwdAccountLockedTime: "20260101000000Z" }, false],
  ];
  for (const [attributes, expected] of cases) {
    const read = new Attributes({ dn: "uid=x", ...attributes });
    strictEqual(isOutOfUse(read, nowMs), expected, JSON.stringify(attributes));
  }
});

testProperty(
  "a name is one value of a filter, whatever it holds",
  fc.property(oddName, (name) => {
    const filter = FilterParser.parseString(filledFilter("(uid={user})", name));
    deepStrictEqual(filter, new EqualityFilter({ attribute: "uid", value: name }));
  }),
  2_000,
);

test("a name stands in a DN escaped, or in Active Directory's names as it is, or not at all", () => {
  const dn = "uid={user},dc=example,dc=com";
  const cases: readonly (readonly [template: string, user: string, name: string | undefined])[] = [
    [dn, "alice", "uid=alice,dc=example,dc=com"],
    [dn, "al#ice!", "uid=al\\23ice\\21,dc=example,dc=com"],
    [dn, "alice,dc=x", undefined],
    [dn, "alice+uid=bob", undefined],
    [dn, "\uff41lice", undefined],
    [dn, "", undefined],
    ["{local}@ad.example.com", "alice", "alice@ad.example.com"],
    ["{local}@ad.example.com", "alice@elsewhere", "alice@ad.example.com"],
    ["{local}@ad.example.com", "a@b@c", undefined],
    ["{local}@ad.example.com", "@example.com", undefined],
    ["EXAMPLE\\{local}", "alice", "EXAMPLE\\alice"],
    ["{user}", "alice@ad.example.com", "alice@ad.example.com"],
    ["{user}", "a@b@c", undefined],
    ["{user}@{domain}", "alice@x", undefined],
    ["uid={local},ou={domain}", "alice", undefined],
  ];
  for (const [template, user, name] of cases) {
    strictEqual(directBindName(template, user), name, `${template} ${user}`);
  }
});

test("who is not there takes as long as one of the last binds", async () => {
  const clock = { nowMs: 0 };
  const waited: number[] = [];
  const drawn = [0, 0.99];
  const times = new BindTimes({
    nowMs: () => clock.nowMs,
    random: () => drawn.shift() ?? 0,
    wait: (ms) => {
      waited.push(ms);
      return Promise.resolve();
    },
  });
  await times.pretend();
  for (const tookMs of [20, 30]) {
    await times.measure(() => {
      clock.nowMs += tookMs;
      return Promise.resolve();
    });
  }
  await times.pretend();
  drawn.unshift(0.99);
  await times.pretend();
  deepStrictEqual(waited.slice(-1), [30]);
  strictEqual(waited.length, 2);
});
