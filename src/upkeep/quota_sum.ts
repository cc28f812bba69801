/**
 * Whether `maildirsize`, by which quotas go, says how much mail there is.
 *
 * Repair counts all mail and writes the file anew, as `popkeep quota recalculate` does: the new file is written in
 * tmp/ and renamed over the old one.
 *
 * *Knows* the file. *Does not know* who has which quota.
 */

import { isMissing } from "../maildir/disk.ts";
import { MAILDIRSIZE_NAME, maildirSizeNow, maildirSizePath } from "../maildir/maildirsize.ts";
import type { Usage } from "../maildir/maildirsize_text.ts";
import { quotaDisk, type QuotaPlace, usageNow } from "../maildir/quota_count.ts";
import type { QuotaLimits } from "../maildrop/quota_definition.ts";
import { StorageFailure } from "../maildrop/store.ts";
import type { Finding } from "./finding.ts";

/** Counts before it is said that the file is wrong: mail may come between a look and a count. */
const COUNTS = 2;

export interface SumPlace {
  readonly place: QuotaPlace;
  /** Those that hold; undefined leaves what another program wrote there. */
  readonly limits: QuotaLimits | undefined;
}

export async function* checkQuotaSum({ place, limits }: SumPlace): AsyncGenerator<Finding> {
  // Without a quota, a folder of folders may have one of mail by that name.
  if (limits !== undefined || place.location.layout !== "fs") {
    if (await isInTheWay(place)) {
      yield {
        severity: "warning",
        kind: "maildirsize-wrong",
        path: MAILDIRSIZE_NAME,
        reason: "it is no file: what mail there is can be counted, and not written down",
        repair: "what it is cannot be told for sure",
      };
      return;
    }
  }
  let reason: string | undefined;
  for (let counts = 0; counts < COUNTS; counts++) {
    reason = await disagreement(place);
    if (reason === undefined) return;
  }
  yield {
    severity: "warning",
    kind: "maildirsize-wrong",
    path: MAILDIRSIZE_NAME,
    reason: reason ?? "",
    repair: await canBeWritten(place, limits)
      ? {
        what: "count all mail and write it anew",
        async run() {
          await usageNow(place, { limits, isToBeCounted: true });
          // Who counts for a delivery goes on without the file where it cannot be written.
          const stillSaid = await disagreement(place);
          if (stillSaid === undefined) return true;
          throw new StorageFailure(
            "SYS/TEMP",
            `it was not written, or mail came meanwhile: ${stillSaid}`,
          );
        },
      }
      : "no quota is set for it to say",
  };
}

/** The file says a quota, which is popkeep's or that of the program that wrote it. */
async function canBeWritten(place: QuotaPlace, limits: QuotaLimits | undefined): Promise<boolean> {
  if (limits !== undefined) return true;
  return (await maildirSizeNow(quotaDisk(place), { limits })).definition !== undefined;
}

/** Whether there is something of the file's name that it cannot be renamed over. A link can be, and is told elsewhere. */
async function isInTheWay(place: QuotaPlace): Promise<boolean> {
  const disk = quotaDisk(place);
  try {
    const found = await disk.lstat(maildirSizePath(disk));
    return !found.isFile() && !found.isSymbolicLink();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Undefined if the file is right, or there is none. */
async function disagreement(place: QuotaPlace): Promise<string | undefined> {
  const disk = quotaDisk(place);
  try {
    const found = await disk.lstat(maildirSizePath(disk));
    if (!found.isFile()) return undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const { used } = await maildirSizeNow(disk, { limits: undefined });
  if (used === undefined) return "it is damaged, or too long to be believed";
  const counted = await usageNow(place, {
    limits: undefined,
    isToBeCounted: true,
    isOnlyALook: true,
  });
  if (counted.octets === used.octets && counted.messages === used.messages) return undefined;
  return `it says ${inWords(used)}, and there are ${inWords(counted)}`;
}

function inWords({ octets, messages }: Usage): string {
  return `${messages === 1 ? "1 message" : `${messages} messages`} of ${octets} octets`;
}
