/**
 * The bodies of multi-line responses that are lists of lines.
 *
 * Lists of a snapshot without marks are kept with it, ready to send: clients that poll ask for the same ones
 * each time, and sessions on one mailbox share the snapshot as long as nothing changes there.
 *
 * Cost: a list is written octet by octet, without texts in between. A long one is written
 * as it is drawn, so that a million lines hold up nobody and take the memory of one piece.
 */

import { Buffer } from "node:buffer";
import { OUTPUT_BATCH_OCTETS, UNIQUE_ID_CHARACTERS } from "../limits.ts";
import { DecimalCounter, writeDecimal } from "../maildrop/decimal.ts";
import type { Marks } from "../maildrop/marks.ts";
import type { MessageNumber } from "../maildrop/message_number.ts";
import type { Snapshot } from "../maildrop/snapshot.ts";
import { TERMINATOR } from "../wire/dot_stuffing.ts";
import type { Body, DrawnBody } from "./answer.ts";

/** Octets of a piece: a listing of a million messages needs no more memory than this. */
const PIECE_OCTETS = 32_768;

/** Room for a number, a blank, a number or unique-id, CRLF and the terminator. */
const LINE_OCTETS = 16 + 1 + UNIQUE_ID_CHARACTERS + 2 + TERMINATOR.length;

/** A list of at most so many lines is made at once, a tenth of a millisecond of work, and may be kept. */
const SHORT_LIST_LINES = 4_000;

/** A list of more octets is not kept: what a snapshot takes should be mostly its own. */
const KEPT_OCTETS = OUTPUT_BATCH_OCTETS;

const SPACE = 32;
const CR = 13;
const LF = 10;

/** A list of a few lines, none of which begins with a dot. */
export function linesBody(lines: readonly string[]): Body {
  return Buffer.concat([Buffer.from(lines.map((line) => `${line}\r\n`).join("")), TERMINATOR]);
}

/** What a message's line says of it: its octets, or its unique-id. */
export type ListKind = "LIST" | "UIDL";

const keptLists = new WeakMap<Snapshot, Map<ListKind, Uint8Array>>();

/** A line for each message without a mark (RFC 1939 §5 LIST, §7 UIDL). */
export function messageList(kind: ListKind, snapshot: Snapshot, marks: Marks): Body {
  const isWhole = marks.count === 0;
  const kept = isWhole ? keptLists.get(snapshot)?.get(kind) : undefined;
  if (kept !== undefined) return kept;
  const body = numberedBody({
    count: snapshot.count,
    has: isWhole ? () => true : (number) => !marks.has(number as MessageNumber),
    writeValue: kind === "LIST"
      ? (number, target, at) => writeDecimal(snapshot.octetsOf(number as MessageNumber), target, at)
      : (number, target, at) => snapshot.writeUniqueId(number as MessageNumber, target, at),
  });
  if (isWhole && body instanceof Uint8Array && body.length <= KEPT_OCTETS) {
    const lists = keptLists.get(snapshot) ?? new Map<ListKind, Uint8Array>();
    keptLists.set(snapshot, lists.set(kind, body));
  }
  return body;
}

/** What `numberedBody` lists. */
export interface NumberedLines {
  /** Lines are for the numbers from 1 to this. */
  readonly count: number;
  has(number: number): boolean;
  /** Writes at most UNIQUE_ID_CHARACTERS octets of ASCII at `at`, and returns where they end. */
  writeValue(number: number, target: Uint8Array, at: number): number;
}

/** One line, `number value`, for each number that is there; a long list is made as it is drawn. */
export function numberedBody(lines: NumberedLines): Uint8Array | DrawnBody {
  const list = new NumberedList(lines);
  if (lines.count > SHORT_LIST_LINES) return list;
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = list.draw()) !== undefined;) pieces.push(new Uint8Array(piece));
  return Buffer.concat(pieces);
}

/** Where all lists are written, a piece at a time: pieces are lent (answer.ts). */
const piece = new Uint8Array(PIECE_OCTETS);

class NumberedList implements DrawnBody {
  readonly #lines: NumberedLines;
  readonly #numbers = new DecimalCounter();
  #next = 1;
  #isWhole = false;

  constructor(lines: NumberedLines) {
    this.#lines = lines;
  }

  draw(): Uint8Array | undefined {
    if (this.#isWhole) return undefined;
    const lines = this.#lines;
    const { count } = lines;
    let number = this.#next;
    let end = 0;
    for (; number <= count && end <= PIECE_OCTETS - LINE_OCTETS; number++) {
      if (!lines.has(number)) continue;
      end = this.#numbers.write(number, piece, end);
      piece[end++] = SPACE;
      end = lines.writeValue(number, piece, end);
      piece[end++] = CR;
      piece[end++] = LF;
    }
    this.#next = number;
    if (number > count) {
      // There is room: a line's room is more than its octets, the terminator's among them.
      this.#isWhole = true;
      piece.set(TERMINATOR, end);
      end += TERMINATOR.length;
    }
    return piece.subarray(0, end);
  }

  leave(): void {}
}
