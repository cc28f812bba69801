/** A SCRAM-SHA-256 client (RFC 5802 §3) for tests, which shares no code with the server. */

import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

export interface ScramAttempt {
  readonly user: string;
  readonly password: string;
  /** "n,," unless given. */
  readonly gs2Header?: string;
  /** What the channel is bound to. */
  readonly bound?: Uint8Array;
  readonly nonce?: string;
  /** What is said to be the whole nonce, in place of the one that the server sent. */
  readonly finalNonce?: string;
  /** Beyond it the proof is computed with this many, and so wrong. */
  readonly mostIterations?: number;
  /** Attributes of the future, in the last message. */
  readonly extensions?: string;
}

export class ScramClient {
  readonly #attempt: ScramAttempt;
  readonly #bare: string;
  #serverSignature = "";

  constructor(attempt: ScramAttempt) {
    this.#attempt = attempt;
    const name = attempt.user.replaceAll("=", "=3D").replaceAll(",", "=2C");
    this.#bare = `n=${name},r=${attempt.nonce ?? "rOprNGfwEbeRWgbNEkqO"}`;
  }

  first(): Uint8Array {
    return Buffer.from(this.#header + this.#bare, "utf8");
  }

  /** The answer to the server's first message. */
  final(serverFirst: Uint8Array): Uint8Array {
    const text = Buffer.from(serverFirst).toString("utf8");
    const { r = "", s = "", i = "" } = attributesOf(text);
    const iterations = Math.min(Number(i), this.#attempt.mostIterations ?? Infinity);
    const salt = Buffer.from(s, "base64");
    const salted = pbkdf2Sync(this.#attempt.password, salt, iterations, 32, "sha256");
    const clientKey = hmac(salted, "Client Key");
    const storedKey = createHash("sha256").update(clientKey).digest();
    const { bound = new Uint8Array() } = this.#attempt;
    const channel = Buffer.concat([Buffer.from(this.#header, "utf8"), bound]).toString("base64");
    const nonce = this.#attempt.finalNonce ?? r;
    const withoutProof = `c=${channel},r=${nonce}${this.#attempt.extensions ?? ""}`;
    const authMessage = `${this.#bare},${text},${withoutProof}`;
    const signature = hmac(storedKey, authMessage);
    const proof = Buffer.from(clientKey.map((octet, index) => octet ^ (signature[index] ?? 0)));
    this.#serverSignature = hmac(hmac(salted, "Server Key"), authMessage).toString("base64");
    return Buffer.from(`${withoutProof},p=${proof.toString("base64")}`, "utf8");
  }

  /** Whether the server's last message shows that it knows the password. */
  isContent(serverFinal: Uint8Array): boolean {
    return Buffer.from(serverFinal).toString("utf8") === `v=${this.#serverSignature}`;
  }

  get #header(): string {
    return this.#attempt.gs2Header ?? "n,,";
  }
}

/** The attributes of a SCRAM message. */
export function attributesOf(message: Uint8Array | string): Record<string, string> {
  const text = typeof message === "string" ? message : Buffer.from(message).toString("utf8");
  return Object.fromEntries(text.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}
