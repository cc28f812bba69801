/**
 * A setting that cannot be as it is, found out when what it names was to be used.
 *
 * *Knows*: exit codes. *Does not know*: lines of the settings file.
 */

import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printable } from "./printable.ts";

export class SettingFault extends Failure {
  /** As a fault of the settings file has it: `directories[0]`. */
  readonly key: string;
  /** What is wrong, printable. */
  readonly reason: string;

  constructor(key: string, reason: string, options?: ErrorOptions) {
    const shown = printable(reason);
    super(ExitCode.badSettings, `${key}: ${shown}`, options);
    this.key = key;
    this.reason = shown;
  }
}

/**
 * Makes something as a setting has it.
 *
 * @param file What the setting names, where the error may not say so.
 * @throws {SettingFault} If it cannot be made.
 */
export async function orBadSetting<Value>(
  key: string,
  make: () => Value | Promise<Value>,
  file = "",
): Promise<Value> {
  try {
    return await make();
  } catch (error) {
    throw settingFaultOf(key, error, file);
  }
}

/** The same error as the fault of a setting. */
export function settingFaultOf(key: string, error: unknown, file = ""): SettingFault {
  if (error instanceof SettingFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const named = reason.includes(file) ? reason : `${file}: ${reason}`;
  return new SettingFault(key, named, { cause: error });
}
