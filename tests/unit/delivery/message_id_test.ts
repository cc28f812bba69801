import { strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { MessageIdWatch } from "../../../src/delivery/message_id.ts";

function idIn(message: string, pieceOctets = message.length): string | undefined {
  const watch = new MessageIdWatch();
  const octets = Buffer.from(message, "latin1");
  for (let at = 0; at < octets.length; at += pieceOctets) {
    watch.push(octets.subarray(at, at + pieceOctets));
  }
  return watch.messageId;
}

test("the Message-ID of the header is found, in whatever pieces it comes", () => {
  const messages: Record<string, string | undefined> = {
    "Subject: x\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n": "<1@x>",
    "message-id:<2@x>\nSubject: x\n\nbody\n": "<2@x>",
    "Message-ID:\r\n <3@x>\r\n\r\n": "<3@x>",
    "Message-Id: <4@x>": "<4@x>",
    "Subject: x\r\n\r\nMessage-ID: <body@x>\r\n": undefined,
    "Subject: x\n\nMessage-ID: <body@x>\n": undefined,
    "X-Message-ID: <5@x>\r\n\r\n": undefined,
    "Message-ID:\r\n\r\n<6@x>": undefined,
    "": undefined,
  };
  for (const [message, id] of Object.entries(messages)) {
    for (const piece of [1, 7, 1_000]) strictEqual(idIn(message, piece), id, message);
  }
});

test("it is looked for so far, and kept so long, as the log has use for", () => {
  strictEqual(idIn(`${"X: y\r\n".repeat(20_000)}Message-ID: <1@x>\r\n\r\n`), undefined);
  strictEqual(idIn(`Message-ID: <${"x".repeat(5_000)}>\r\n\r\n`)!.length, 250);
});
