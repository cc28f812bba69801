/** A server of several workers, and which of them serves whom. */

import { existsSync } from "node:fs";
import { kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pop3Client } from "../support/pop3_client.ts";
import { storeAppPassword } from "../../src/auth/app_passwords.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { logged, type LogRecord, logRecords } from "./server_log.ts";

/** How long something may take to come about, ms. */
const PATIENCE_MS = 60_000;

/** Carol has one. */
export const APP_PASSWORD = {
  secret: "abcd-efgh-jkmn-pqrs-tuvw",
  field: `popkeep_app_password_phone=${
    storeAppPassword("abcd-efgh-jkmn-pqrs-tuvw")
  },20260701T120000Z`,
};

const SETTINGS = `
login_type = "plaintext_login"
log_level = "debug"
workers = 2
`;

/**
 * Runs a test with a server of two workers; all of its processes are gone afterwards. Sessions get little
 * time at the end, unless the settings say how much.
 */
export async function withWorkers(
  settings: string,
  run: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const grace = settings.includes("shutdown_grace_period") ? "" : 'shutdown_grace_period = "1s"';
  const server = await startServer({
    users: ["alice", "bob", ["carol", `{PLAIN}${PASSWORD}`, APP_PASSWORD.field]],
    settings: `${SETTINGS}${grace}\n${settings}`,
  });
  try {
    await logged(server, { since: 0, message: "ready" });
    await run(server);
    if (server.log.includes("fault in popkeep")) throw new Error(server.log);
  } catch (error) {
    // With all the time that the settings give they may outlive our patience, which would hide what failed.
    for (const worker of workerProcesses(server)) if (isRunning(worker)) kill(worker, "SIGKILL");
    throw error;
  } finally {
    await server.stop();
    await until(() => workerProcesses(server).every((process) => !isRunning(process)));
  }
}

/** The processes that were workers at any time, by what the log says. */
export function workerProcesses(server: RunningServer): number[] {
  return served(server).map((record) => Number(record["process"]));
}

/** The process that is a worker now. */
export function processOf(server: RunningServer, worker: number): number {
  return Number(served(server).findLast((record) => record["worker"] === worker)!["process"]);
}

function served(server: RunningServer): LogRecord[] {
  return logRecords(server).filter(({ message }) => message === "worker serves");
}

export function isRunning(process: number): boolean {
  return existsSync(`/proc/${process}/stat`);
}

/** A session, the worker that has it, and the address that it came from. */
export interface Placed {
  readonly client: Pop3Client;
  readonly worker: number;
  readonly address: string;
}

let lastAddress = 0;

/** An address that no other client of this test file has. */
export function newAddress(): string {
  lastAddress++;
  return `127.0.${1 + (lastAddress >> 7)}.${1 + (lastAddress & 127)}`;
}

/** Logs in from an address of its own, by which the log tells the worker. */
export async function placed(server: RunningServer, user: string): Promise<Placed> {
  const since = server.log.length;
  const address = newAddress();
  const client = await server.login(user, { localAddress: address });
  const { worker } = await logged(server, { since, message: "logged in", address });
  return { client, worker: Number(worker), address };
}

/** Logs in until each worker has a session; returns these two. The system says who gets a connection. */
export async function onBoth(server: RunningServer, user: string): Promise<Placed[]> {
  const first = await placed(server, user);
  for (;;) {
    const other = await placed(server, user);
    if (other.worker !== first.worker) return [first, other];
    const since = server.log.length;
    await other.client.quit();
    // Its place is another's from now on.
    await logged(server, { since, message: "session ended", address: other.address });
  }
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > giveUpAtMs) throw new Error(`Never came about: ${isSo}`);
    await sleep(20);
  }
}
