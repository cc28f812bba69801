/** What the statements say of settings, read by the program's own reader; no server is started. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { readSettings, type Settings, settingsWarnings } from "../../src/settings.ts";

/** All that a settings file has to have: without a certificate there is no port for TLS. */
const CERTIFICATE = '[[certificates]]\ncertificate_file = "cert.pem"\nkey_file = "key.pem"\n';

function read(text: string): ReturnType<typeof readSettings> {
  const octets = Buffer.from(`${text}\n${CERTIFICATE}`);
  return readSettings("/etc/popkeep/popkeep.toml", octets, { checkFiles: false });
}

function settingsOf(text: string): Settings {
  const settings = read(text);
  assert.ok(!Array.isArray(settings), JSON.stringify(settings));
  return settings;
}

function isRefused(text: string): boolean {
  return Array.isArray(read(text));
}

function warningsOf(text: string): string[] {
  return settingsWarnings(settingsOf(text)).map(({ key, message }) => `${key}: ${message}`);
}

test("E0001: ports 110 and 995 of all addresses by default, and any others by settings", () => {
  const defaults = settingsOf("");
  const shown = (bindings: Settings["sslBindings"]) =>
    bindings.map(({ address, port }) => `${address} ${port}`);
  assert.deepEqual(shown(defaults.unencryptedOrTlsBindings), ["0.0.0.0 110", ":: 110"]);
  assert.deepEqual(shown(defaults.sslBindings), ["0.0.0.0 995", ":: 995"]);
  const others = settingsOf(
    'unencrypted_or_tls_bindings = ["192.0.2.1:1110", "[2001:db8::1]:65535"]\nssl_bindings = []',
  );
  assert.deepEqual(shown(others.unencryptedOrTlsBindings), [
    "192.0.2.1 1110",
    "2001:db8::1 65535",
  ]);
  assert.deepEqual(shown(others.sslBindings), []);
});

test("V0002: the timers are 1,800 s and 60 s by default, and both can be set", () => {
  const defaults = settingsOf("");
  assert.equal(defaults.authenticatedConnectionTimeoutMs, 1_800_000);
  assert.equal(defaults.preAuthenticatedConnectionTimeoutMs, 60_000);
  const others = settingsOf(
    'authenticated_connection_timeout = "1h"\npre_authenticated_connection_timeout = "30s"',
  );
  assert.equal(others.authenticatedConnectionTimeoutMs, 3_600_000);
  assert.equal(others.preAuthenticatedConnectionTimeoutMs, 30_000);
});

test("RFC1939-3-TIMER: an autologout timer of less than ten minutes is warned about", () => {
  const warned = (text: string) =>
    warningsOf(text).some((line) => line.startsWith("authenticated_connection_timeout:"));
  assert.equal(warned('authenticated_connection_timeout = "599s"'), true);
  assert.equal(warned('authenticated_connection_timeout = "10m"'), false);
});

test("E0006, 2.1.2: the longest command is 512 octets by default, and may be 40 to 1,024", () => {
  assert.equal(settingsOf("").maxCommandSizeOctets, 512);
  assert.equal(settingsOf("max_command_size = 40").maxCommandSizeOctets, 40);
  assert.equal(settingsOf("max_command_size = 1024").maxCommandSizeOctets, 1024);
  assert.ok(isRefused("max_command_size = 39"));
  assert.ok(isRefused("max_command_size = 1025"));
});

test("E0007, RFC2449-4-LENGTH, TENSION-COMMAND-FLOOR: less than 255 octets is warned about", () => {
  const warned = (text: string) =>
    warningsOf(text).some((line) => line.startsWith("max_command_size:"));
  assert.equal(warned("max_command_size = 254"), true);
  assert.equal(warned("max_command_size = 255"), false);
});

test("RFC5034-4-DEFAULT, RFC2595-2.2, V0010: no password without TLS by default", () => {
  assert.equal(settingsOf("").loginType, "secure_login");
});

test("2.1.4, 2.1.5, TENSION-SIZES: sizes are those in storage by default", () => {
  assert.equal(settingsOf("").enableExactRfc822Size, false);
  assert.equal(settingsOf("enable_exact_rfc822_size = true").enableExactRfc822Size, true);
});

test("TENSION-ORDER: the order is ascending by default", () => {
  assert.equal(settingsOf("").messageRetrievalSortOrder, "ascending");
});

test("C0005: connections close after 20 bad commands and 5 failed logins by default", () => {
  assert.equal(settingsOf("").maxBadCommands, 20);
  assert.equal(settingsOf("").maxFailedLogins, 5);
});

test("TENSION-EIGHT-BIT: 8-bit headers are sent by default", () => {
  assert.equal(settingsOf("").eightBitHeaders, "send");
});
