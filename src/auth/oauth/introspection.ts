/**
 * Asks an authorization server about a token (RFC 7662): for tokens that say nothing themselves.
 *
 * *Knows* the request and its answer's form. *Does not know* what has to be in the answer.
 */

import { readFile } from "node:fs/promises";
import { Buffer } from "node:buffer";
import {
  OAUTH_CLIENT_SECRET_OCTETS,
  OAUTH_INTROSPECTION_OCTETS,
  OAUTH_INTROSPECTIONS,
} from "../../limits.ts";
import type { JsonObject } from "./json_object.ts";
import { requestJson } from "./json_request.ts";

export interface IntrospectionOptions {
  readonly url: string;
  /** Our own name there; "" asks without one. */
  readonly clientId: string;
  /** File with the secret that belongs to it; "" for an empty secret. */
  readonly clientSecretFile: string;
  /** OAUTH_REQUEST_MS unless said. */
  readonly timeLimitMs?: number;
}

export class Introspection {
  readonly #options: IntrospectionOptions;
  #running = 0;

  constructor(options: IntrospectionOptions) {
    this.#options = options;
  }

  /**
   * The claims of an active token; undefined if it is not active, whyever (§2.2).
   *
   * @throws {Error} If the server does not say. The message is for the log and holds no secret.
   */
  async ask(token: string): Promise<JsonObject | undefined> {
    if (this.#running >= OAUTH_INTROSPECTIONS) throw new Error("too many tokens are asked about");
    this.#running++;
    try {
      const { url, timeLimitMs } = this.#options;
      const answer = await requestJson({
        url,
        maxOctets: OAUTH_INTROSPECTION_OCTETS,
        headers: await this.#authorization(),
        form: { token, token_type_hint: "access_token" },
        ...(timeLimitMs === undefined ? {} : { timeLimitMs }),
      });
      const { active } = answer;
      // Anything else comes from something that is no introspection endpoint.
      if (typeof active !== "boolean") {
        throw new Error("the answer does not say whether it is active");
      }
      return active ? answer : undefined;
    } finally {
      this.#running--;
    }
  }

  /** RFC 6749 §2.3.1. The secret is read each time, so that a new one counts at once. */
  async #authorization(): Promise<Record<string, string>> {
    const { clientId, clientSecretFile } = this.#options;
    if (clientId === "") return {};
    const secret = clientSecretFile === "" ? "" : await readSecret(clientSecretFile);
    const credentials = `${formEncode(clientId)}:${formEncode(secret)}`;
    return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
  }
}

/**
 * The secret in a file, without the line end that an editor puts behind it.
 *
 * @throws {Error} If there is none.
 */
export async function readSecret(file: string): Promise<string> {
  const octets = await readFile(file);
  const secret = octets.toString("utf8").replace(/\r?\n$/, "");
  if (secret === "" || octets.length > OAUTH_CLIENT_SECRET_OCTETS) {
    throw new Error(`${file} holds no secret of 1 to ${OAUTH_CLIENT_SECRET_OCTETS} octets`);
  }
  return secret;
}

/** As application/x-www-form-urlencoded has it. */
function formEncode(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
