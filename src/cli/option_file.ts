/** Reads a file that an option of the command line names. */

import { readFileSync } from "node:fs";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printable } from "./printable.ts";

/** @throws {Failure} If it cannot be read. */
export function readOptionFile(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(ExitCode.noInput, `${option}: ${printable(reason)}`, { cause: error });
  }
}
