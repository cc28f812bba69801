/**
 * A message on its way to a client: the octet kernel and the plain way give the same, which is what the rules
 * say, wherever the stored octets are cut; TOP is the part of it that it has to be.
 *
 * The input's first octet says how many pieces, the second how many lines TOP asks for.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CanonicalCounter, countBareLineEnds } from "../../../src/message/canonical.ts";
import { HeaderScan } from "../../../src/message/header_scan.ts";
import { TopCutter } from "../../../src/message/top.ts";
import { octetKernel } from "../../../src/octet_kernel/octet_kernel.ts";
import {
  FusedEncoder,
  StepwiseEncoder,
  type WireEncoder,
  wireEncoder,
} from "../../../src/session/wire_encoder.ts";
import type { FuzzTarget } from "../target.ts";

export const messageOctets: FuzzTarget = {
  name: "message_octets",
  executions: 15_000,
  attempt(input) {
    const [pieces = 0, lines = 0] = input;
    const stored = input.subarray(2);
    const chunks = cut(stored, 1 + pieces % 7);
    const text = Buffer.from(stored).toString("latin1");
    const canonical = canonicalOf(text);
    const wire = `${stuffed(canonical)}.\r\n`;
    const encoders = [
      new StepwiseEncoder(),
      new FusedEncoder(octetKernel!),
      wireEncoder(undefined),
    ];
    for (const encoder of encoders) {
      assert.deepEqual(encoded(encoder, chunks), [wire, canonical.length]);
    }

    const counter = new CanonicalCounter();
    for (const chunk of chunks) counter.push(chunk);
    assert.equal(counter.end(), canonical.length);
    const bare = text.match(/(?<!\r)\n/g)?.length ?? 0;
    assert.equal(countBareLineEnds(stored, 10), bare);
    assert.equal(octetKernel!.countBareLineEnds(stored, 10), bare);

    const top = topOf(canonical, lines % 9);
    const cutter = new TopCutter(lines % 9);
    const [cutWire, cutOctets] = encoded(wireEncoder(cutter), chunks);
    assert.deepEqual([cutWire, cutOctets], [`${stuffed(top)}.\r\n`, top.length]);

    const scan = new HeaderScan();
    for (const chunk of cut(Buffer.from(canonical, "latin1"), 1 + pieces % 7)) scan.push(chunk);
    // deno-lint-ignore no-control-regex -- octets
    assert.equal(scan.eightBit, /[^\x00-\x7f]/.test(topOf(canonical, 0)));
  },
};

/** The rules of canonical.ts once more. */
function canonicalOf(text: string): string {
  const lines = text.replace(/\r?\n/g, "\r\n");
  return lines === "" || lines.endsWith("\r\n") ? lines : `${lines}\r\n`;
}

/** RFC 1939 §3; a pattern with "m" would take a CR for the end of a line. */
function stuffed(canonical: string): string {
  return canonical.replace(/(^|\n)\./g, "$1..");
}

/** RFC 1939 §7 TOP: the header, the blank line and so many lines behind it. */
function topOf(canonical: string, lines: number): string {
  const all = canonical.split(/(?<=\n)/);
  const blank = all.indexOf("\r\n");
  return (blank < 0 ? all : all.slice(0, blank + 1 + lines)).join("");
}

function encoded(encoder: WireEncoder, chunks: readonly Uint8Array[]): [string, number] {
  const pieces: Uint8Array[] = [];
  for (const [index, chunk] of chunks.entries()) {
    if (encoder.done) break;
    pieces.push(Uint8Array.from(encoder.encode(chunk, index === chunks.length - 1)));
  }
  return [Buffer.concat(pieces).toString("latin1"), encoder.octets];
}

function cut(octets: Uint8Array, pieces: number): Uint8Array[] {
  const length = Math.ceil(octets.length / pieces);
  return Array.from({ length: pieces }, (_, at) => octets.subarray(at * length, (at + 1) * length));
}
