/**
 * What is remembered of logins in the state folder, over a restart: once for all who serve.
 *
 * *Knows*: settings, who remembers what. *Does not know*: who logs in.
 */

import { openAppPasswordUses } from "../auth/app_password_uses.ts";
import {
  type GuessingGuard,
  type GuessingOptions,
  openGuessingGuard,
} from "../auth/guessing/guessing_guard.ts";
import { keptKey } from "../auth/kept_key.ts";
import type { LoginGuard } from "../auth/login_guard.ts";
import type { Settings } from "../settings.ts";
import { guessingOptions } from "./guessing_options.ts";
import type { Parts } from "./parts.ts";
import { orBadSetting } from "./setting_fault.ts";

/** Here, or by another process for this one. */
export interface Remembered {
  readonly guard: LoginGuard & {
    reload(options: GuessingOptions): void;
    hasten(): void;
  };
  readonly madeUpKey: Uint8Array;
  noteAppPassword(user: string, name: string, address: string | undefined): void;
}

/**
 * What is remembered in the settings' folder; `parts` closes it.
 *
 * @throws {SettingFault} If an address that is never blocked is none.
 */
export async function rememberedParts(
  settings: Settings,
  parts: Parts,
): Promise<Remembered & { readonly guard: GuessingGuard }> {
  const { stateFolder: folder } = settings;
  // Kept over any change but that of its folder: what it has counted must not be forgotten.
  const guard = await parts.take(
    "guard",
    folder,
    () =>
      orBadSetting(
        "never_blocked_addresses",
        () => openGuessingGuard(guessingOptions(settings), { folder }),
      ),
    (guard) => guard.close(),
  );
  const uses = await parts.take(
    "app password uses",
    folder,
    () => openAppPasswordUses(folder),
    (uses) => uses.flush(),
  );
  const madeUpKey = await parts.take("made-up key", folder, () => keptKey(folder));
  return {
    guard,
    madeUpKey,
    noteAppPassword: (user, name, address) => uses.note(user, name, address, Date.now()),
  };
}
