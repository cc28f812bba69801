/** A place that cannot be listened on, as the failure of a command. */

import { ListenFailure } from "../net/listener.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

/** @throws {Failure} Where `listening` rejects with a ListenFailure; what else it rejects with goes on. */
export async function orListenFailure<Value>(listening: Promise<Value>): Promise<Value> {
  try {
    return await listening;
  } catch (error) {
    if (!(error instanceof ListenFailure)) throw error;
    const code = error.code === "EACCES" ? ExitCode.noPermission : ExitCode.unavailable;
    throw new Failure(code, error.message, { cause: error });
  }
}
