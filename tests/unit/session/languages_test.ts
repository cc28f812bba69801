/** LANG (RFC 6856 §3): in which language replies are. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { lookUpLanguage } from "../../../src/session/languages.ts";
import { DONE, FAULTS } from "../../../src/session/replies.ts";
import { SessionClient } from "../../support/session_client.ts";

const RANGES: readonly [string, string | undefined][] = [
  ["en", "en"],
  ["EN", "en"],
  ["en-GB", "en"],
  ["de", "de"],
  ["de-AT", "de"],
  ["De-Latn-CH-1996", "de"],
  ["i-default", "i-default"],
  ["I-Default", "i-default"],
  ["*", "en"],
  ["i", undefined],
  ["mul", undefined],
  ["uga", undefined],
  ["deu", undefined],
  ["de_AT", undefined],
  ["de-", undefined],
  ["-de", undefined],
  ["de-*", undefined],
  ["**", undefined],
  ["\xe4", undefined],
];

for (const [range, tag] of RANGES) {
  test(`the range ${JSON.stringify(range)} finds ${tag ?? "no language"}`, () => {
    assert.equal(lookUpLanguage(range), tag);
  });
}

test("LANG lists each language with its name in itself", async () => {
  const { body } = await new SessionClient().ask("LANG");
  assert.equal(body, "en English\r\nde Deutsch\r\ni-default Default language\r\n.\r\n");
});

test("LANG puts the tag before the text, and both follow in every later reply", async () => {
  const client = new SessionClient({ ascii: false });
  assert.equal((await client.ask("LANG de-AT")).line, "+OK de Sprache geändert");
  assert.equal((await client.ask("XYZ")).line, "-ERR unbekannter Befehl");
  assert.equal(
    (await client.askAll("USER alice", "PASS x")).line,
    "-ERR [AUTH] Benutzername oder Kennwort ist falsch",
  );
  assert.equal((await client.ask("LANG en")).line, "+OK en language changed");
  assert.equal((await client.ask("XYZ")).line, "-ERR unknown command");
  assert.equal((await client.ask("LANG *")).line, "+OK en language changed");
  assert.equal((await client.ask("LANG i-default")).line, "+OK i-default language changed");
});

test("an unknown language is -ERR and changes nothing", async () => {
  const client = new SessionClient({ ascii: false });
  await client.ask("LANG de");
  assert.equal((await client.ask("LANG tlh")).line, "-ERR Sprache ist nicht verfügbar");
  assert.equal((await client.ask("XYZ")).line, "-ERR unbekannter Befehl");
});

test("the language stays through a login, and the numbers in replies stay as they are", async () => {
  const client = new SessionClient({ ascii: false });
  client.store.deliver("alice", "a\n");
  await client.ask("LANG de");
  assert.equal((await client.askAll("USER alice", "PASS secret")).line, "+OK 1 Nachricht");
  assert.equal((await client.ask("RETR 1")).line, "+OK 2 octets");
  assert.equal((await client.ask("STAT")).line, "+OK 1 2");
  assert.equal((await client.ask("LANG en")).line, "+OK en language changed");
});

test("STLS brings the first language back", async () => {
  const client = new SessionClient({ ascii: false });
  await client.askAll("LANG de", "STLS");
  client.session.tlsStarted();
  assert.equal((await client.ask("XYZ")).line, "-ERR unknown command");
});

test("every text is there in every language, fits its line, and looks like no response code", () => {
  for (const { en, de } of [...Object.values(DONE), ...Object.values(FAULTS)]) {
    for (const wording of [en, de]) {
      assert.match(wording, /^[^\p{Cc}[\]<>]{1,120}$/u);
    }
    assert.match(en, /^[\x20-\x7e]+$/, "i-default is ASCII");
  }
});

test("no text makes fetchmail take a refusal for a maildrop that is locked by somebody", () => {
  const comeBack = [FAULTS.tooManySessions, FAULTS.tooManyFailures];
  for (const fault of Object.values(FAULTS)) {
    const busy = /lock|Lock|LOCK|wait/.test(fault.en + fault.de);
    assert.equal(busy, (comeBack as unknown[]).includes(fault), fault.en);
  }
});
