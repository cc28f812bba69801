/**
 * One mailbox of a soak: mail that comes into it, and what other programs do to it meanwhile.
 *
 * *Knows* the Maildir and the ledger. *Does not know* popkeep.
 */

import { Buffer } from "node:buffer";
import { readFileSync, renameSync, unlinkSync } from "node:fs";
import { TestMaildir } from "../../support/test_maildir.ts";
import { oneOf } from "../chance.ts";
import { Ledger } from "./ledger.ts";

const TOKEN = /^Subject: (\S+)\r?\n/;

/** What retention leaves. */
const MOST_MESSAGES = 80;

const LINES = [
  "a line of text",
  ".",
  "..two dots",
  ". one dot and more",
  "",
  "Grüße aus der Küche",
  "x".repeat(990),
];

const FLAGS = ["", "S", "F", "RS", "FRS", "T"];

export class SoakMailbox {
  readonly user: string;
  readonly ledger: Ledger;
  readonly maildir: TestMaildir;
  readonly #random: () => number;
  /** What leave-on-server clients keep of what they have retrieved. */
  readonly kept = new Set<string>();

  constructor(user: string, maildir: TestMaildir, random: () => number) {
    this.user = user;
    this.maildir = maildir;
    this.ledger = new Ledger(user);
    this.#random = random;
  }

  /** Delivers a message into new/, or puts it straight into cur/ as an IMAP APPEND does. */
  deliver(folder: "new" | "cur"): void {
    const token = this.maildir.nextUniqueName();
    const content = this.#content(token);
    const size = this.#random() < 0.3 ? `,S=${content.length}` : "";
    const info = folder === "new" || this.#random() < 0.2 ? "" : `:2,${oneOf(FLAGS, this.#random)}`;
    this.ledger.delivered(token, asSent(content));
    this.maildir.place(`${token}${size}${info}`, content, folder);
  }

  #content(token: string): Buffer {
    const lines = [`Subject: ${token}`, "From: a@example.com", ""];
    const count = this.#random() < 0.05 ? 3_000 : Math.floor(this.#random() * 40);
    for (let i = 0; i < count; i++) lines.push(oneOf(LINES, this.#random));
    return Buffer.from(lines.join("\n") + (this.#random() < 0.8 ? "\n" : ""));
  }

  /** Moves a message to cur/, or gives it other flags there. False if it was gone by then. */
  flag(): boolean {
    const file = this.#anyFile();
    if (file === undefined) return false;
    const name = file.slice("new/".length).replace(/:.*$/, "");
    const info = `:2,${oneOf(FLAGS, this.#random)}`;
    return happens(() => this.#rename(file, `cur/${name}${info}`));
  }

  #rename(from: string, to: string): void {
    renameSync(`${this.maildir.path}/${from}`, `${this.maildir.path}/${to}`);
    this.ledger.note(`renamed ${from} ${to}`);
  }

  /** Removes any message, as an IMAP client's EXPUNGE does. */
  expunge(): boolean {
    const file = this.#anyFile();
    return file !== undefined && this.#unlink(file);
  }

  /** Removes the oldest beyond a number, as retention does. Returns how many. */
  retain(): number {
    const files = this.maildir.files();
    const old = files.slice(0, Math.max(0, files.length - MOST_MESSAGES));
    return old.filter((file) => this.#unlink(file)).length;
  }

  #unlink(file: string): boolean {
    this.ledger.removedByOthers(tokenOfName(file));
    return happens(() => unlinkSync(`${this.maildir.path}/${file}`));
  }

  #anyFile(): string | undefined {
    const files = this.maildir.files();
    return files.length === 0 ? undefined : oneOf(files, this.#random);
  }

  /** The tokens of all messages, out of their octets. */
  tokensOnDisk(): Set<string> {
    const files = this.maildir.files().map((file) => {
      return tokenIn(readFileSync(`${this.maildir.path}/${file}`)) ?? `damaged: ${file}`;
    });
    return new Set(files);
  }
}

/** The token that a message carries. */
export function tokenIn(octets: Buffer): string | undefined {
  return TOKEN.exec(octets.subarray(0, 200).toString("latin1"))?.[1];
}

function tokenOfName(file: string): string {
  return file.slice("new/".length).replace(/[:,].*$/, "");
}

/** As RETR sends it: LF becomes CRLF, and the last line gets its end (docs/design.md, 10). */
function asSent(content: Buffer): Buffer {
  const text = content.toString("latin1").replaceAll("\n", "\r\n");
  return Buffer.from(text.endsWith("\r\n") ? text : `${text}\r\n`, "latin1");
}

/** False if somebody else was faster. */
function happens(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
}
