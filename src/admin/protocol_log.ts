/**
 * The protocol log: a line for each command and its response line, in the form of Exchange's
 * (ProtocolLogEnabled), for finding out what a client does.
 *
 * It holds no secrets: it is not given them. What comes here was taken apart by who knows the
 * protocol, and passwords and SASL responses were left out there.
 *
 * *Knows*: CSV. *Does not know*: commands, files beyond handing lines over.
 */

import { printable } from "./log_text.ts";
import { RollingFile, type RollingFileOptions } from "./rolling_file.ts";

export type ProtocolLogOptions = Omit<RollingFileOptions, "header">;

/** Where lines go. */
export interface ProtocolLines {
  append(line: string, time: Date): void;
  close(): Promise<void>;
}

/** One command and its response. */
export interface ProtocolEntry {
  readonly command: string;
  readonly parameters: string;
  /** The response line, or why there is none. */
  readonly reply: string;
  /** Octets of the command line, and of the response with all its lines. */
  readonly requestOctets: number;
  readonly replyOctets: number;
  readonly durationMs: number;
  readonly user: string | undefined;
}

/** Exchange's fields, in its order. */
const FIELDS = "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command," +
  "parameters,context";

/** Options may change while sessions write; while there are none, what they write is dropped. */
export class ProtocolLog {
  #options: ProtocolLogOptions | undefined;
  #file: ProtocolLines | undefined;
  /** What was written to before the last change. */
  #leaving: Promise<unknown> = Promise.resolve();
  readonly #open: (options: ProtocolLogOptions) => ProtocolLines;

  /** @param open Where lines go that somebody else writes to the file. */
  constructor(
    options: ProtocolLogOptions | undefined,
    open: (options: ProtocolLogOptions) => ProtocolLines = (options) =>
      new RollingFile({ ...options, header }),
  ) {
    this.#open = open;
    this.change(options);
  }

  get enabled(): boolean {
    return this.#options !== undefined;
  }

  /** Goes on with these options, and in any case opens the file by its name again. */
  change(options: ProtocolLogOptions | undefined): void {
    this.#leaving = Promise.all([this.#leaving, this.#file?.close()]);
    this.#options = options;
    this.#file = options === undefined ? undefined : this.#open(options);
  }

  /** The log of one session, between two endpoints "address:port". */
  session(session: number, server: string, client: string): ProtocolSession {
    return new ProtocolSession(this, [String(session), server, client]);
  }

  /** A line with its LF, as `ProtocolSession` makes them. */
  append(line: string, time: Date): void {
    this.#file?.append(line, time);
  }

  /** Resolves when all lines are written, also those of before a change. */
  async close(): Promise<void> {
    await Promise.all([this.#leaving, this.#file?.close()]);
  }
}

export class ProtocolSession {
  readonly #log: ProtocolLog;
  readonly #who: readonly [session: string, server: string, client: string];
  #sequence = 0;

  constructor(log: ProtocolLog, who: readonly [string, string, string]) {
    this.#log = log;
    this.#who = who;
  }

  write(entry: ProtocolEntry): void {
    if (!this.#log.enabled) return;
    const time = new Date();
    const [session, server, client] = this.#who;
    const fields = [
      time.toISOString(),
      session,
      String(this.#sequence++),
      server,
      client,
      entry.user ?? "",
      String(Math.round(entry.durationMs)),
      String(entry.requestOctets),
      String(entry.replyOctets),
      entry.command,
      entry.parameters,
      entry.reply === "" ? "" : `R=${entry.reply}`,
    ];
    this.#log.append(`${fields.map(csvField).join(",")}\n`, time);
  }
}

function header(time: Date): string {
  return [
    "#Software: popkeep",
    "#Version: 1.0",
    "#Log-type: POP3 Log",
    `#Date: ${time.toISOString()}`,
    `#Fields: ${FIELDS}`,
    "",
  ].join("\n");
}

/** RFC 4180 §2, with what would break lines or terminals escaped before. */
function csvField(text: string): string {
  const safe = printable(text);
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
