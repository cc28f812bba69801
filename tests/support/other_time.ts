/**
 * Programs that take it for another time (libfaketime). Files keep the times that they have: for their dates the
 * clock is as far ahead as it is told to be.
 */

import { existsSync } from "node:fs";
import process from "node:process";

const LIBRARY = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/` +
  "libfaketimeMT.so.1";

/** Why there is no other time; false where there is. In CI nothing is missing. */
export const noOtherTime: string | false = !existsSync(LIBRARY) && !process.env["CI"] &&
  `SKIPPED: ${LIBRARY} is missing; scripts/install_test_clients.sh installs it`;

/** The environment in which a program begins at a time, from which its clock goes on; UTC. */
export function at(timeMs: number): Record<string, string> {
  const text = new Date(timeMs).toISOString().slice(0, 19).replace("T", " ");
  return {
    TZ: "UTC",
    LD_PRELOAD: LIBRARY,
    FAKETIME: `@${text}`,
    NO_FAKE_STAT: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}
