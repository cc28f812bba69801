/** The player of dialogues: it must notice whatever a server says that the dialogue does not have. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { octetsOf, parseDialogues, SENDINGS } from "../../transcripts/dialogue.ts";
import { play } from "../../transcripts/player.ts";
import { MemoryStage } from "../../transcripts/stage.ts";

const CAST = { user: "alice", password: "secret" };

async function playText(text: string, sending: typeof SENDINGS[number]): Promise<void> {
  const [dialogue] = parseDialogues("test.txt", `== a dialogue\n${text}`);
  const stage = new MemoryStage(dialogue!.settings, new Map([["alice", "secret"]]));
  await play(dialogue!, sending, stage, CAST);
}

const RIGHT = `message: Subject: a\\n\\nb\\n
C: STAT
S: +OK 1 14
C: LIST
S: +OK*
S: 1 14
S: .
C: DELE 1
S: +OK*
! left 1
C: QUIT
S: +OK*
! closed
! left
! deliver Subject: b\\n\\nc\\n
! reconnect
! log-in
C: UIDL
S: +OK*
S~ 1 (?<id>[0-9]+)
S: .
C: UIDL 1
S: +OK 1 {=id}
! rename 2
`;

for (const sending of SENDINGS) {
  test(`the player takes a dialogue that is right, sent as ${sending}`, async () => {
    await playText(RIGHT, sending);
  });
}

const WRONG: readonly [string, string, RegExp][] = [
  ["another text", "C: STAT\nS: +OK 1 0", /test\.txt:3:\n {2}expected "\+OK 1 0"/],
  ["another status", "C: STAT\nS: -ERR*", /expected "-ERR\*"/],
  ["no match of a pattern", "C: STAT\nS~ \\+OK [1-9].*", /expected \/\\\+OK/],
  ["a pattern that meets only a part", "C: STAT\nS~ \\+OK", /expected/],
  [
    "a line more than is there",
    "C: NOOP\nS: +OK\nS: +OK",
    /nothing more to say/,
  ],
  [
    "a line of a listing too few",
    "C: LIST\nS: +OK*\nC: NOOP\nS: +OK",
    /more was said|expected "\+OK"/,
  ],
  ["an end that does not come", "C: NOOP\nS: +OK\n! closed", /nothing more to say/],
  ["an end though more is said", "C: NOOP\n! closed", /instead of the end/],
  ["messages that are gone", "C: NOOP\nS: +OK\n! left 1", /these messages are there/],
  ["messages that are read", "C: NOOP\nS: +OK\n! seen 1", /these messages are marked/],
  ["an unknown event", "C: NOOP\nS: +OK\n! explode", /nothing is known of the event/],
];

for (const [what, steps, sentence] of WRONG) {
  test(`the player refuses a dialogue with ${what}`, async () => {
    for (const sending of SENDINGS) await assert.rejects(playText(steps, sending), sentence);
  });
}

const UNREADABLE: readonly [string, string, RegExp][] = [
  ["a line of no kind", "C: NOOP\nnonsense", /not a line of a dialogue/],
  ["a header behind the first line", "C: NOOP\nmessage: a", /not a line of a dialogue/],
  ["an unknown header", "colour: blue\nC: NOOP", /no header "colour"/],
  ["an unknown way", "ways: pigeon\nC: NOOP", /"pigeon" is none of/],
  ["a way left out without a reason", "ways: tcp\nC: NOOP", /because of what/],
  ["nothing said", "message: a", /nothing is said/],
];

for (const [what, text, sentence] of UNREADABLE) {
  test(`a dialogue file with ${what} is refused`, () => {
    assert.throws(() => parseDialogues("test.txt", `== a dialogue\n${text}`), sentence);
  });
}

test("escapes and placeholders of dialogues stand for octets", () => {
  const cases: readonly [string, string][] = [
    ["a\\n\\r\\t\\0\\s\\\\b", "a\n\r\t\0 \\b"],
    ["\\xff\\x41", "\xffA"],
    ["é", "\xc3\xa9"],
    ["{user} {password} {fill:3}", "alice secret xxx"],
    ["{plain}", "AGFsaWNlAHNlY3JldA=="],
    ["{base64:\\0USER\\0PASSWORD}", "AGFsaWNlAHNlY3JldA=="],
    ["{base64:FILL3}", "eHh4"],
    ["{nothing}", "{nothing}"],
  ];
  for (const [text, octets] of cases) {
    assert.equal(octetsOf(text, CAST).toString("latin1"), octets);
  }
});
