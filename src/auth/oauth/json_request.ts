/**
 * One request to an authorization server for a JSON object, bounded in time and size.
 *
 * Redirects are not followed: the settings say whom to ask, and nobody else is told a token. Without TLS
 * only this very machine is asked. *Knows* HTTP. *Does not know* what the answer means.
 */

import { OAUTH_REQUEST_MS } from "../../limits.ts";
import { type JsonObject, parseObject, Unusable } from "./json_object.ts";

export interface JsonRequest {
  readonly url: string;
  readonly maxOctets: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST as a form; a GET without it. */
  readonly form?: Readonly<Record<string, string>>;
  /** OAUTH_REQUEST_MS unless said. */
  readonly timeLimitMs?: number;
}

/**
 * Asks, and gives the object that comes.
 *
 * @throws {Error} If none comes. Its message is for the log, and holds nothing that was sent or received
 *   but the URL's host and the HTTP status.
 */
export async function requestJson(request: JsonRequest): Promise<JsonObject> {
  const { host } = new URL(request.url);
  const limit = AbortSignal.timeout(request.timeLimitMs ?? OAUTH_REQUEST_MS);
  try {
    const response = await fetch(request.url, {
      redirect: "manual",
      signal: limit,
      // Not compressed, so that few octets cannot become many.
      headers: { accept: "application/json", "accept-encoding": "identity", ...request.headers },
      ...(request.form === undefined
        ? {}
        : { method: "POST", body: new URLSearchParams(request.form) }),
    });
    return parseObject(await readBody(response, request.maxOctets));
  } catch (error) {
    throw new Error(`${host}: ${limit.aborted ? "no answer in time" : reasonOf(error)}`);
  }
}

/** Why a URL may not be asked; undefined if it may. */
export function urlFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return "it is no URL";
  if (url.username !== "" || url.password !== "") return "it has a user name or password in it";
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return "it begins neither with https: nor with http:";
  // Whoever is on the way could put keys of his own into the answer.
  return LOOPBACK.test(url.hostname)
    ? undefined
    : "http: is for this very machine only; use https:";
}

/** URL has brought every other way to write a loopback address into these forms. */
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

async function readBody(response: Response, maxOctets: number): Promise<Uint8Array> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Unusable(`HTTP status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of response.body ?? []) {
    octets += chunk.length;
    // Leaving the loop cancels the body.
    if (octets > maxOctets) throw new Unusable(`the answer is longer than ${maxOctets} octets`);
    chunks.push(chunk);
  }
  const body = new Uint8Array(octets);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function reasonOf(error: unknown): string {
  if (error instanceof Unusable) return error.message;
  // What the runtime's fetch says may hold the URL with its query; its code and cause are enough.
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === "string") return code;
  if (cause instanceof Error) return cause.message.replace(/https?:\S+/g, "").slice(0, 200);
  return "the request failed";
}
