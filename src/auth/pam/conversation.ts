/**
 * What PAM's modules are answered when they ask: the password where it is not to be echoed, the user's
 * name where it is, and nothing else. Modules that want something else cannot be content.
 *
 * Answers lie in memory of the C library's, since libpam frees it.
 *
 * *Knows* pam_conv(3). *Does not know* what the modules are.
 */

import { PAM_MESSAGES, PAM_QUESTIONS } from "../../limits.ts";
import { type Callback, openCallback, readMemory } from "../../platform/foreign_functions.ts";
import { type CFunctions, PAM_CODES, PAM_MESSAGE } from "./linux_pam.ts";
import { ADDRESS_OCTETS, addressAt, addressesMemory, int32At, octetsMemory } from "./memory.ts";

/** Octets of a `struct pam_message` that count: its kind; and of a `struct pam_response`. */
const KIND_OCTETS = 4;
const RESPONSE_OCTETS = 16;

/** Answers the questions of one login. */
export class Conversation {
  readonly #callback: Callback;
  readonly #c: CFunctions;
  readonly #user: Uint8Array;
  readonly #password: Uint8Array | undefined;
  #questions = 0;
  #askedForPassword = false;

  /** @param password Undefined where nobody has given one, and questions have no answer. */
  constructor(c: CFunctions, user: string, password: Uint8Array | undefined) {
    this.#c = c;
    this.#user = octetsMemory(new TextEncoder().encode(user));
    this.#password = password === undefined ? undefined : octetsMemory(password);
    this.#callback = openCallback(
      { takes: ["i32", "pointer", "pointer", "pointer"], gives: "i32" },
      (count, messages, responses) => {
        try {
          return this.#answer(count, messages, responses);
        } catch {
          // There is nobody above to catch it, and what it says may be about the password.
          return PAM_CODES.CONV_ERR;
        }
      },
    );
  }

  /** Of a function as `struct pam_conv` has it. */
  get address(): bigint {
    return this.#callback.address;
  }

  /** Whether any module has been told the password. */
  get askedForPassword(): boolean {
    return this.#askedForPassword;
  }

  /** To be called when PAM is done. */
  close(): void {
    this.#callback.close();
    this.#password?.fill(0);
  }

  #answer(count: number, messages: bigint, responses: bigint): number {
    if (count < 1 || count > PAM_MESSAGES) return PAM_CODES.CONV_ERR;
    const addresses = readMemory(messages, count * ADDRESS_OCTETS);
    const answers: (Uint8Array | undefined)[] = [];
    for (let at = 0; at < count; at++) {
      const kind = int32At(readMemory(addressAt(addresses, at * ADDRESS_OCTETS), KIND_OCTETS), 0);
      const answer = this.#answerTo(kind);
      if (answer === "none") return PAM_CODES.CONV_ERR;
      answers.push(answer);
    }
    const response = this.#c.calloc(count, RESPONSE_OCTETS);
    if (response === 0n) return PAM_CODES.CONV_ERR;
    for (const [at, answer] of answers.entries()) {
      if (answer === undefined) continue;
      const copy = this.#c.calloc(answer.length, 1);
      // What was answered before is libpam's already, or lost with a process that has no memory.
      if (copy === 0n) return PAM_CODES.CONV_ERR;
      this.#c.memcpy(copy, answer, answer.length);
      this.#put(response + BigInt(at * RESPONSE_OCTETS), copy);
    }
    this.#put(responses, response);
    return PAM_CODES.SUCCESS;
  }

  /** Undefined for what is only told; "none" for a question that has no answer. */
  #answerTo(kind: number): Uint8Array | undefined | "none" {
    if (kind === PAM_MESSAGE.ERROR || kind === PAM_MESSAGE.TEXT) return undefined;
    if (++this.#questions > PAM_QUESTIONS) return "none";
    if (kind === PAM_MESSAGE.ECHO_ON) return this.#user;
    if (kind !== PAM_MESSAGE.ECHO_OFF || this.#password === undefined) return "none";
    this.#askedForPassword = true;
    return this.#password;
  }

  #put(address: bigint, value: bigint): void {
    this.#c.memcpy(address, addressesMemory([value]), ADDRESS_OCTETS);
  }
}
