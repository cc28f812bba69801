/** JSON objects from outside. Pure. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** What came is not what it should be. The message is for the log, and quotes nothing of it. */
export class Unusable extends Error {}

/** @throws {Unusable} If the octets are no JSON object. */
export function parseObject(octets: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch {
    throw new Unusable("it is no JSON");
  }
  if (!isObject(value)) throw new Unusable("it is no JSON object");
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
