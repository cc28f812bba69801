/** An input as the responses of one exchange: parts between lines of three dashes. */

import { Buffer } from "node:buffer";

const BETWEEN = Buffer.from("\n---\n");

/** What stands for no initial response, in the place of the first. */
const NONE = "(none)";

export function responsesOf(input: Uint8Array): (Uint8Array | undefined)[] {
  const octets = Buffer.from(input);
  const parts: (Uint8Array | undefined)[] = [];
  let from = 0;
  for (let at; (at = octets.indexOf(BETWEEN, from)) >= 0; from = at + BETWEEN.length) {
    parts.push(octets.subarray(from, at));
  }
  parts.push(octets.subarray(from));
  if (Buffer.from(parts[0]!).toString("latin1") === NONE) parts[0] = undefined;
  return parts;
}

/** Responses as one input. */
export function inputOf(...responses: readonly (Uint8Array | string)[]): Uint8Array {
  const parts = responses.map((part) => typeof part === "string" ? Buffer.from(part) : part);
  return Buffer.concat(parts.flatMap((part, at) => at === 0 ? [part] : [BETWEEN, part]));
}
