/**
 * The thread that reads an SQLite file, for sqlite.ts: a file that is locked, or on a slow disk, then holds
 * up nobody but who waits for it.
 *
 * The file is opened to be read only. One that was put in the place of it is opened anew.
 *
 * *Knows* SQLite. *Does not know* users.
 */

import { statSync } from "node:fs";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { parentPort } from "node:worker_threads";

export interface SqliteJob {
  readonly file: string;
  /** How long to wait for a lock, ms. */
  readonly busyMs: number;
  readonly sql: string;
  readonly values: readonly string[];
  /** More are not handed over. */
  readonly mostRows: number;
}

export type SqliteAnswer =
  | {
    readonly kind: "rows";
    readonly columns: readonly string[];
    readonly rows: readonly Readonly<Record<string, unknown>>[];
  }
  | { readonly kind: "failed"; readonly reason: string };

if (parentPort === null) process.exit(1);
const port = parentPort;

let database: DatabaseSync | undefined;
let inode: bigint | undefined;

port.on("message", (job: SqliteJob) => port.postMessage(answerTo(job)));

function answerTo(job: SqliteJob): SqliteAnswer {
  try {
    const statement = opened(job).prepare(job.sql);
    // Not `iterate`, which under Deno ends at an error as if there were no more rows.
    const rows = statement.all(...job.values).slice(0, job.mostRows).map((row) => ({ ...row }));
    const columns = statement.columns().map(({ name }) => String(name));
    return { kind: "rows", columns, rows };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

function opened({ file, busyMs }: SqliteJob): DatabaseSync {
  const { ino } = statSync(file, { bigint: true });
  if (database !== undefined && ino === inode) return database;
  database?.close();
  database = undefined;
  database = new DatabaseSync(file, { readOnly: true });
  database.exec(`PRAGMA busy_timeout = ${Math.floor(busyMs)}; PRAGMA query_only = 1`);
  inode = ino;
  return database;
}
