/**
 * LMTP by its socket: what is said keeps to the grammar, each recipient of a message has his answer, a message is
 * what stands between DATA and the one sequence that ends it, and others are still served.
 *
 * The first octet of an input says in what pieces the others are sent.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import type { LmtpMessage, LmtpReply } from "../../../src/net/lmtp/lmtp_services.ts";
import { LmtpServer } from "../../../src/net/lmtp/lmtp_server.ts";
import { unquotedAddress } from "../../../src/wire/mail_path.ts";
import { LmtpClient } from "../../support/lmtp_client.ts";
import type { FuzzTarget } from "../target.ts";

/** A probe of whether others are served comes after so many inputs. */
const PROBE_EVERY = 20;

const NOBODY: LmtpReply = { code: 550, status: "5.1.1", text: "nobody" };
const SAVED: LmtpReply = { code: 250, status: "2.0.0", text: "saved" };

interface Running {
  readonly server: LmtpServer;
  readonly folder: string;
  /** Of the present input. */
  readonly messages: string[];
  answers: number;
}

let started: Promise<Running> | undefined;
let attempts = 0;

async function start(): Promise<Running> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-fuzz-`);
  const server = new LmtpServer({ sharedPorts: false });
  const running: Running = { server, folder, messages: [], answers: 0 };
  const change = await server.prepare({
    bindings: [],
    sockets: [`${folder}/lmtp`],
    isTrusted: () => false,
    serverName: "mail.example.com",
    mostOctets: 1_000_000,
    maxBadCommands: 10_000,
    services: {
      recipient: (address) =>
        Promise.resolve(unquotedAddress(address).includes("nobody") ? NOBODY : { address }),
      deliver: async (message: LmtpMessage<object>) => {
        const parts: Uint8Array[] = [];
        for await (const octets of message.octets) parts.push(Buffer.from(octets));
        running.messages.push(Buffer.concat(parts).toString("latin1"));
        running.answers += message.recipients.length;
        return message.recipients.map(() => SAVED);
      },
    },
  });
  change.keep();
  return running;
}

export const lmtp: FuzzTarget = {
  name: "lmtp",
  executions: 300,
  maxOctets: 8_192,
  async attempt(input) {
    const running = await (started ??= start());
    running.messages.length = 0;
    running.answers = 0;
    const said = await converse(running, input);
    assert.equal(said.filter((reply) => reply === "250 2.0.0 saved").length, running.answers);
    const possible = messagesIn(Buffer.from(input.subarray(1)).toString("latin1"));
    for (const message of running.messages) {
      assert.ok(possible.includes(message), `no message of the client: ${JSON.stringify(message)}`);
    }
    if (++attempts % PROBE_EVERY === 0) await probe(running);
  },
  async end() {
    const running = await started;
    started = undefined;
    if (running === undefined) return;
    await running.server.stop(0);
    rmSync(running.folder, { recursive: true });
  },
};

/** Sends the input and its end; all replies. */
async function converse({ folder }: Running, input: Uint8Array): Promise<string[]> {
  const client = await LmtpClient.connect({ path: `${folder}/lmtp` });
  const pieceOctets = 1 + (input[0] ?? 0) * 7;
  for (let at = 1; at < input.length; at += pieceOctets) {
    client.send(input.subarray(at, at + pieceOctets));
    if (pieceOctets > 100) await new Promise((go) => setTimeout(go, 1));
  }
  client.halfClose();
  const replies: string[] = [];
  try {
    for (;;) replies.push(await client.reply());
  } catch (error) {
    if (!(error instanceof Error && error.message === 'closed, and before it ""')) throw error;
  } finally {
    client.vanish();
  }
  return replies;
}

/** What could be a message, wherever DATA may stand. */
function messagesIn(text: string): string[] {
  return [...text.matchAll(/(?<=^|\n)data(?: [^\n]*)?\r?\n/gi)].flatMap(({ 0: line, index }) => {
    const from = index + line.length;
    if (text.startsWith(".\r\n", from)) return [""];
    const end = text.indexOf("\r\n.\r\n", from);
    if (end < 0) return [];
    return [text.slice(from, end + 2).replace(/(^|\r\n)\.\./g, "$1.")];
  });
}

async function probe(running: Running): Promise<void> {
  const { client } = await LmtpClient.greeted({ path: `${running.folder}/lmtp` });
  running.messages.length = 0;
  assert.deepEqual(await client.deliver(["a", "b"], ".probe\r\n"), [
    "250 2.0.0 saved",
    "250 2.0.0 saved",
  ]);
  assert.deepEqual(running.messages, [".probe\r\n"]);
  await client.quit();
}
