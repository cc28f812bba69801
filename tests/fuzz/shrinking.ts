/** Makes an input that a target fails on smaller, as long as it fails in the same way. */

import { Buffer } from "node:buffer";
import type { FuzzTarget } from "./target.ts";

/** Attempts after which the input is small enough. */
const ATTEMPTS = 3_000;

/** What tells one failure from another: the first line of the error, without what it shows of the input. */
export function symptomOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const [line = ""] = text.split("\n");
  return line.replace(/["'].*["']/s, "...").replace(/[0-9]+/g, "0").slice(0, 200);
}

/** The smallest input found that fails as this one does. */
export async function shrunk(
  target: FuzzTarget,
  input: Uint8Array,
  error: unknown,
): Promise<Uint8Array> {
  const symptom = symptomOf(error);
  let smallest = Buffer.from(input);
  let left = ATTEMPTS;
  const failsToo = async (tried: Uint8Array) => {
    left--;
    try {
      await target.attempt(tried);
      return false;
    } catch (other) {
      return symptomOf(other) === symptom;
    }
  };
  for (let part = smallest.length >> 1; part > 0 && left > 0; part >>= 1) {
    for (let at = 0; at < smallest.length && left > 0;) {
      const without = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + part)]);
      if (await failsToo(without)) smallest = without;
      else at += part;
    }
  }
  return smallest;
}
