/** An SQLite file, read in a thread of its own. */

import { Worker } from "node:worker_threads";
import { workerLocation } from "../../platform/worker_location.ts";
import {
  type DatabaseClient,
  type DatabaseConnection,
  type QueryResult,
  UselessAnswer,
} from "./database.ts";
import type { SqliteAnswer, SqliteJob } from "./sqlite_worker.ts";
import type { DatabasePlace, SqlOptions } from "./sql_options.ts";

/** What the thread answers is told apart by its own errors. */
export const sqlite: DatabaseClient = { open: openSqlite, isAnswer: () => false };

function openSqlite(place: DatabasePlace, options: SqlOptions): Promise<DatabaseConnection> {
  const worker = new Worker(
    workerLocation("src/auth/sql/sqlite_worker.ts", import.meta.url),
  );
  // It keeps the process alive only while somebody waits for it.
  worker.unref();
  let open = true;
  let waiting: ((answer: SqliteAnswer) => void) | undefined;
  const settle = (answer: SqliteAnswer) => {
    worker.unref();
    waiting?.(answer);
    waiting = undefined;
  };
  const lost = (reason: string) => {
    open = false;
    settle({ kind: "failed", reason });
  };
  worker.on("message", (answer: SqliteAnswer) => settle(answer));
  worker.on("error", (error: Error) => lost(error.message));
  worker.on("exit", () => lost("the thread ended"));

  const ask = (sql: string, values: readonly string[], mostRows: number) =>
    new Promise<SqliteAnswer>((resolve) => {
      waiting = resolve;
      worker.ref();
      const busyMs = options.queryTimeoutMs;
      const job: SqliteJob = { file: place.database, busyMs, sql, values, mostRows };
      worker.postMessage(job);
    });
  return Promise.resolve({
    query: async (sql, values, mostRows = 2): Promise<QueryResult> => {
      const answer = await ask(sql, values, mostRows);
      if (answer.kind === "rows") return answer;
      throw open ? new UselessAnswer(answer.reason) : new Error(answer.reason);
    },
    isOpen: () => open,
    end: () => {
      open = false;
      void worker.terminate();
    },
  });
}
