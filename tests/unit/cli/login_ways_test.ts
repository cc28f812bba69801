/** Which mechanisms a client is offered: those that can succeed for it, now. */

import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import { Authenticator } from "../../../src/auth/authenticator.ts";
import type { AccountDirectory } from "../../../src/auth/directory.ts";
import type { SecretKind } from "../../../src/auth/login.ts";
import type { SecureChannel } from "../../../src/auth/secure_channel.ts";
import { LoginWays, type WaysOptions } from "../../../src/cli/login_ways.ts";

const CHANNEL: SecureChannel = {
  serverCertificate: undefined,
  clientCertificate: undefined,
  exporter: () => new Uint8Array(32),
};

const NTLM = {
  names: { netbiosDomain: "D", netbiosComputer: "", dnsDomain: "", dnsComputer: "" },
  ownDomains: [],
  helper: undefined,
};

function directory(secrets: readonly SecretKind[], findsByName = true): AccountDirectory {
  return {
    kind: "user_file",
    findsByName,
    secretKinds: new Set(secrets),
    lookUp: () => Promise.resolve(undefined),
  };
}

/** The names of what is offered, in order. */
function offered(
  directories: readonly AccountDirectory[],
  { channel, ...options }: Partial<WaysOptions> & { readonly channel?: SecureChannel } = {},
): string[] {
  const authenticator = new Authenticator({
    directories,
    hashPool: { check: () => Promise.resolve("wrong") },
    passwordMemoryMs: 0,
  });
  const ways = new LoginWays({
    authenticator,
    mechanisms: [],
    extendedProtection: "none",
    ntlm: NTLM,
    kerberos: undefined,
    oauth: undefined,
    clientCertificates: undefined,
    ...options,
  });
  return ways.mechanismsFor("192.0.2.1", channel).map(({ name }) => name);
}

test("a mechanism that needs secrets is offered where some user has them, in any directory", () => {
  deepStrictEqual(offered([directory([])]), ["PLAIN"]);
  deepStrictEqual(offered([directory([]), directory(["ntHash"])]), ["NTLM", "PLAIN"]);
  deepStrictEqual(offered([directory(["scramSha256"])]), ["SCRAM-SHA-256", "PLAIN"]);
});

test("-PLUS is offered where there is a channel to bind to, before the other one", () => {
  deepStrictEqual(offered([directory(["scramSha256"])], { channel: CHANNEL }), [
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "PLAIN",
  ]);
});

test("NTLM is not offered where it is off, or has to be bound and cannot be", () => {
  deepStrictEqual(offered([directory(["ntHash"])], { ntlm: undefined }), ["PLAIN"]);
  deepStrictEqual(offered([directory(["ntHash"])], { extendedProtection: "require" }), ["PLAIN"]);
});

test("tokens are of use where users are found by name", () => {
  const oauth = {
    validator: { checkFrom: () => () => Promise.resolve({ kind: "unavailable" as const }) },
    scope: "",
    openidConfiguration: "",
  } as unknown as WaysOptions["oauth"];
  deepStrictEqual(offered([directory([])], { oauth }), ["OAUTHBEARER", "XOAUTH2", "PLAIN"]);
  deepStrictEqual(offered([directory([], false)], { oauth }), ["PLAIN"]);
});

test("what the settings leave out is not offered", () => {
  const directories = [directory(["ntHash", "scramSha256"])];
  deepStrictEqual(offered(directories, { mechanisms: ["PLAIN", "SCRAM-SHA-256"] }), [
    "SCRAM-SHA-256",
    "PLAIN",
  ]);
  deepStrictEqual(offered(directories, { mechanisms: ["GSSAPI"] }), []);
});
