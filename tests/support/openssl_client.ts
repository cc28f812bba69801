/** A POP3 client that is `openssl s_client`: TLS by another library than the runtimes'. */

import { Buffer } from "node:buffer";
import type { Issued } from "./authority.ts";
import { DialogueProcess } from "./dialogue_process.ts";

/**
 * One of the server's lines. What openssl says of the connection may stand before it on the line, since the
 * two are written by turns, but ends in LF alone.
 */
const LINE = /(\+OK(?: [^\r\n]*)?|-ERR[^\r\n]*|\+ [A-Za-z0-9+/=]*)\r\n/;

export interface OpensslOptions {
  readonly port: number;
  /** TLS from the beginning, or after STLS. */
  readonly starttls?: boolean;
  readonly version?: "tls1_2" | "tls1_3";
  readonly shows?: Pick<Issued, "certificateFile" | "keyFile"> | undefined;
}

export class OpensslClient {
  readonly #process: DialogueProcess;
  /** tls-exporter (RFC 9266), as OpenSSL exports it; meaningful under TLS 1.3. */
  readonly exported: Uint8Array;

  private constructor(process: DialogueProcess, exported: Uint8Array) {
    this.#process = process;
    this.exported = exported;
  }

  /** Connects; with implicit TLS the greeting has been read. */
  static async connect(options: OpensslOptions): Promise<OpensslClient> {
    const { port, starttls = false, version = "tls1_3", shows } = options;
    const process = new DialogueProcess(
      ...["openssl", "s_client", "-connect", `127.0.0.1:${port}`, `-${version}`] as const,
      // Without -ign_eof a line that begins with "Q" or "R" would be a command to openssl.
      ...["-crlf", "-ign_eof", "-servername", "localhost"],
      ...(starttls ? ["-starttls", "pop3"] : []),
      ...["-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
      ...(shows === undefined ? [] : ["-cert", shows.certificateFile, "-key", shows.keyFile]),
    );
    try {
      const exported = Buffer.from(await process.hear(/Keying material: ([0-9A-F]{64})/), "hex");
      if (!starttls) await process.hear(LINE);
      return new OpensslClient(process, exported);
    } catch (error) {
      process.stop();
      throw error;
    }
  }

  /** Sends a command and returns the first line of its answer. */
  async ask(line: string): Promise<string> {
    this.#process.say(line);
    return (await this.#process.hear(LINE)).trimEnd();
  }

  /** The words behind SASL in CAPA. */
  async mechanisms(): Promise<string[]> {
    await this.ask("CAPA");
    const line = await this.#process.hear(/SASL ([A-Z0-9 -]*)\r\n[^]*?\r\n\.\r\n/);
    return line.split(" ");
  }

  close(): void {
    this.#process.stop();
  }
}
