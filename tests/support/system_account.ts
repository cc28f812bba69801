/**
 * An account of the system's own for a test, made by `useradd` and removed afterwards: takes root.
 *
 * Should the test be ended before it can remove it, nobody gets a shell by it, and it expires.
 */

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

export const mayMakeAccounts = process.getuid?.() === 0;

/** The list of accounts is locked while another test changes it; tries in all, and ms between two. */
const TRIES = 200;
const BETWEEN_MS = 50;

const DAY_MS = 86_400_000;

/** Runs `work` with the account's name. Options of `useradd` are taken in the place of the usual ones. */
export async function withSystemAccount(
  options: readonly string[],
  work: (user: string) => Promise<void>,
): Promise<void> {
  const user = `popkeep-t-${randomBytes(6).toString("hex")}`;
  const [inTwoDays = ""] = new Date(Date.now() + 2 * DAY_MS).toISOString().split("T");
  const usual = ["--no-create-home", "--shell", "/usr/sbin/nologin", "--expiredate", inTwoDays];
  await administer("useradd", ...usual, ...options, user);
  try {
    await work(user);
  } finally {
    await administer("userdel", user);
  }
}

/** Runs one of the commands that change accounts. */
export async function administer(command: string, ...values: readonly string[]): Promise<void> {
  for (let tries = 1;; tries++) {
    const { status, stderr, error } = spawnSync(command, values, { encoding: "utf8" });
    if (status === 0) return;
    const said = `${command}: ${error?.message ?? stderr}`;
    if (tries === TRIES || !said.includes("lock")) throw new Error(said);
    await sleep(BETWEEN_MS);
  }
}
