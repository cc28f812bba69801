/**
 * A log file that begins anew with each period and when it is full: `pop3-2026-07-01.log`, then
 * `pop3-2026-07-01-2.log`. Nothing is ever overwritten; what is there is appended to.
 *
 * A folder or file that cannot be had costs its lines, which are counted, and nobody's session.
 *
 * *Knows*: files. *Does not know*: what a line says.
 */

import { close, mkdirSync, openSync, statSync } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { LineWriter } from "./line_writer.ts";

const log = getLogger(["popkeep", "admin"]);

export type Period = "hourly" | "daily" | "weekly" | "monthly";

export interface RollingFileOptions {
  /** Made when the first line comes, if it is not there. */
  readonly folder: string;
  readonly period: Period;
  /** Size at which a new file begins, octets; 0 sets no limit. */
  readonly quotaOctets: number;
  /** Lines at the beginning of each file, each with its LF. */
  readonly header: (time: Date) => string;
}

/** How long to leave it after a file could not be opened, ms. */
const RETRY_MS = 10_000;

/** Who may read the log: the service and its group, since it has user names in it. */
const FILE_MODE = 0o640;

export class RollingFile {
  readonly #options: RollingFileOptions;
  #writer: LineWriter | undefined;
  #fd = -1;
  #period = "";
  #number = 1;
  #octets = 0;
  #notBeforeMs = 0;
  /** Files whose last lines are being written. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: RollingFileOptions) {
    this.#options = options;
  }

  /** Appends a line, which ends in LF, at a time of day that decides the file. */
  append(line: string, time: Date): void {
    const period = periodName(this.#options.period, time);
    const { quotaOctets } = this.#options;
    const full = quotaOctets > 0 && this.#octets + line.length > quotaOctets && this.#octets > 0;
    if (this.#writer === undefined || period !== this.#period || full) {
      if (time.getTime() < this.#notBeforeMs) return;
      this.#open(period, time, full && period === this.#period ? this.#number + 1 : 1);
    }
    if (this.#writer?.append(line)) this.#octets += line.length;
  }

  /** Resolves when all lines are written, also those of files that were followed by others. */
  async close(): Promise<void> {
    this.#leaveFile();
    await Promise.all(this.#leaving);
  }

  /** Has the present file's lines written, and then closes it. */
  #leaveFile(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    const leaving = writeOut(writer, this.#fd).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #open(period: string, time: Date, number: number): void {
    this.#leaveFile();
    const { folder, quotaOctets, header } = this.#options;
    try {
      mkdirSync(folder, { recursive: true });
      for (let at = number;; at++) {
        const file = `${folder}/pop3-${period}${at === 1 ? "" : `-${at}`}.log`;
        const octets = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
        if (quotaOctets > 0 && octets >= quotaOctets) continue;
        this.#fd = openSync(file, "a", FILE_MODE);
        this.#writer = new LineWriter(this.#fd);
        this.#period = period;
        this.#number = at;
        this.#octets = octets;
        break;
      }
    } catch (error) {
      this.#notBeforeMs = time.getTime() + RETRY_MS;
      log.warning("the protocol log cannot be written", { folder, error });
      return;
    }
    if (this.#octets > 0) return;
    const lines = header(time);
    this.#writer.append(lines);
    this.#octets = lines.length;
  }
}

async function writeOut(writer: LineWriter, fd: number): Promise<void> {
  await writer.idle();
  const dropped = writer.takeDropped();
  if (dropped > 0) log.warning("protocol log lines dropped", { count: dropped });
  close(fd, () => {});
}

/** The part of the file name that changes with the period, in UTC as the times in the file are. */
function periodName(period: Period, time: Date): string {
  const iso = time.toISOString();
  switch (period) {
    case "hourly":
      return iso.slice(0, "2026-07-01T13".length);
    case "daily":
      return iso.slice(0, "2026-07-01".length);
    case "weekly": {
      // Named after its Monday.
      const monday = new Date(time);
      monday.setUTCDate(time.getUTCDate() - (time.getUTCDay() + 6) % 7);
      return `${monday.toISOString().slice(0, "2026-07-01".length)}-week`;
    }
    case "monthly":
      return iso.slice(0, "2026-07".length);
  }
}
