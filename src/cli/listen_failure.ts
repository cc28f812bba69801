/** A place that cannot be listened on, as the failure of a command. */

import { PlaceFailure } from "../net/place_failure.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

/** @throws {Failure} Where `listening` rejects with a PlaceFailure; what else it rejects with goes on. */
export async function orListenFailure<Value>(listening: Promise<Value>): Promise<Value> {
  try {
    return await listening;
  } catch (error) {
    if (!(error instanceof PlaceFailure)) throw error;
    const code = error.code === "EACCES" ? ExitCode.noPermission : ExitCode.unavailable;
    throw new Failure(code, error.message, { cause: error });
  }
}
