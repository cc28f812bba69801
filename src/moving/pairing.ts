/**
 * Pairs an old server's messages with those in a Maildir by what is in them: by header and size.
 *
 * A pair that is none would be worse than one that is missed: its message would never be downloaded. So a header
 * has to be the same always (header_digest.ts), and the size too, with CRLF line ends as POP3 counts or as the file
 * has it; only of a header with a Message-ID, that is there once on both sides, the size may be another one, since
 * many servers tell sizes roughly. Copies of one message are paired in their order.
 *
 * *Knows* headers and sizes. *Does not know* servers.
 */

import { learnNewcomersSizes } from "../maildir/sizes.ts";
import { digestOf, type HeaderDigest } from "./header_digest.ts";
import type { OldIds } from "./old_ids.ts";
import type { OldMaildrop } from "./old_maildrop.ts";
import type { PresentMessages } from "./present_messages.ts";
import type { Progress } from "./progress.ts";

/** @throws {StorageFailure} If present messages cannot be read. */
export async function pairedIds(
  present: PresentMessages,
  old: OldMaildrop,
  progress: Progress,
): Promise<OldIds> {
  const { disk, rows, table } = present;
  const here = new Candidates();
  if (old.messages.length > 0) {
    await learnNewcomersSizes(disk, table, rows);
    progress.begin("headers read", rows.length);
    const headers = new Map<number, HeaderDigest>();
    await present.eachHeader(rows, (row, header) => {
      if (header !== undefined) headers.set(row, digestOf(header));
      progress.step();
    });
    // In the order of delivery, which they were not read in.
    for (const row of rows) {
      const header = headers.get(row);
      const sizes = [table.exactOf(row), table.storedOf(row)];
      if (header !== undefined) here.add(row, header, sizes);
    }
  }
  const pairing = new Pairing(here);
  progress.begin("headers of the old server read", old.messages.length);
  let at = 0;
  for await (const header of old.headers()) {
    const message = old.messages[at];
    if (message === undefined) break;
    if (header !== undefined) pairing.add(at, message.octets, digestOf(header));
    at++;
    progress.step();
  }
  return oldIdsOf(present, old, pairing.pairs());
}

function oldIdsOf(
  { table }: PresentMessages,
  old: OldMaildrop,
  pairs: ReadonlyMap<number, number>,
): OldIds {
  const ids: (string | undefined)[] = new Array(table.count).fill(undefined);
  const order: number[] = [];
  for (const [index, { id }] of old.messages.entries()) {
    const row = pairs.get(index);
    if (row === undefined) continue;
    ids[row] = id;
    order.push(row);
  }
  const gone = old.messages.length - order.length;
  const verb = gone === 1 ? "message of the old server is" : "messages of the old server are";
  const remarks = gone === 0 ? [] : [`${gone} ${verb} not here`];
  return { ids, order, remarks: [...old.remarks, ...remarks] };
}

/** Present messages, to be found by header and size; each once. */
class Candidates {
  /** In the order of delivery. */
  readonly #byHeader = new Map<string, { row: number; sizes: readonly (number | undefined)[] }[]>();

  add(row: number, { digest }: HeaderDigest, sizes: readonly (number | undefined)[]): void {
    const same = this.#byHeader.get(digest);
    if (same === undefined) this.#byHeader.set(digest, [{ row, sizes }]);
    else same.push({ row, sizes });
  }

  /** Takes the first one whose size, by the first or the second way to count it, is that. */
  take(digest: string, octets: number, way: 0 | 1): number | undefined {
    const same = this.#byHeader.get(digest) ?? [];
    const at = same.findIndex(({ sizes }) => sizes[way] === octets);
    return at < 0 ? undefined : same.splice(at, 1)[0]!.row;
  }

  /** Takes the only one that there is with that header. */
  takeOnly(digest: string): number | undefined {
    const same = this.#byHeader.get(digest) ?? [];
    return same.length === 1 ? same.splice(0, 1)[0]!.row : undefined;
  }
}

interface Unpaired {
  readonly index: number;
  readonly octets: number;
  readonly header: HeaderDigest;
}

class Pairing {
  readonly #here: Candidates;
  readonly #pairs = new Map<number, number>();
  readonly #left: Unpaired[] = [];
  /** Old messages by header. */
  readonly #counts = new Map<string, number>();

  constructor(here: Candidates) {
    this.#here = here;
  }

  add(index: number, octets: number, header: HeaderDigest): void {
    this.#counts.set(header.digest, (this.#counts.get(header.digest) ?? 0) + 1);
    this.#left.push({ index, octets, header });
  }

  /** Present rows by old messages, the surest pairs first. */
  pairs(): ReadonlyMap<number, number> {
    const bySize = (way: 0 | 1) => ({ header: { digest }, octets }: Unpaired) =>
      this.#here.take(digest, octets, way);
    this.#pass(bySize(0));
    this.#pass(bySize(1));
    this.#pass(({ header: { digest, isUnique } }) =>
      isUnique && this.#counts.get(digest) === 1 ? this.#here.takeOnly(digest) : undefined
    );
    return this.#pairs;
  }

  #pass(find: (old: Unpaired) => number | undefined): void {
    const left = this.#left.splice(0);
    for (const old of left) {
      const row = find(old);
      if (row === undefined) this.#left.push(old);
      else this.#pairs.set(old.index, row);
    }
  }
}
