/**
 * Linux-PAM's and the C library's functions that a login takes, as their headers declare them:
 * security/pam_appl.h, security/_pam_types.h, pwd.h, stdlib.h and string.h.
 *
 * *Does not know* what they are called for.
 */

import { type Functions, LibraryMissing, openLibrary } from "../../platform/foreign_functions.ts";

const PAM = {
  pam_start: { takes: ["buffer", "buffer", "buffer", "buffer"], gives: "i32" },
  pam_end: { takes: ["pointer", "i32"], gives: "i32" },
  pam_set_item: { takes: ["pointer", "i32", "buffer"], gives: "i32" },
  pam_get_item: { takes: ["pointer", "i32", "buffer"], gives: "i32" },
  pam_authenticate: { takes: ["pointer", "i32"], gives: "i32" },
  pam_acct_mgmt: { takes: ["pointer", "i32"], gives: "i32" },
  pam_strerror: { takes: ["pointer", "i32"], gives: "pointer" },
} as const;

/** Since Linux-PAM 1.4. */
const PAM_OF_FOLDER = {
  pam_start_confdir: {
    takes: ["buffer", "buffer", "buffer", "buffer", "buffer"],
    gives: "i32",
  },
} as const;

const PAM_CALLBACK_ITEM = {
  pam_set_item: { takes: ["pointer", "i32", "pointer"], gives: "i32" },
} as const;

const C = {
  calloc: { takes: ["size", "size"], gives: "pointer" },
  memcpy: { takes: ["pointer", "buffer", "size"], gives: "pointer" },
  getpwnam_r: { takes: ["buffer", "buffer", "buffer", "size", "buffer"], gives: "i32" },
} as const;

export type PamFunctions = Functions<typeof PAM>;
export type CFunctions = Functions<typeof C>;

const PAM_NAMES = ["libpam.so.0"];
const C_NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

/**
 * PAM's own functions.
 *
 * @param names What the library may be called; for tests.
 * @throws {Error} If the system has no Linux-PAM; says what to install.
 */
export function openPam(names: readonly string[] = PAM_NAMES): PamFunctions {
  try {
    return openLibrary(names, PAM).functions;
  } catch (error) {
    if (!(error instanceof LibraryMissing)) throw error;
    throw new Error(
      "PAM cannot be used, since the system has no libpam.so.0: install the package libpam0g " +
        "(Debian, Ubuntu), pam-libs (Fedora) or linux-pam (Alpine)",
      { cause: error },
    );
  }
}

/** `pam_start` with the folder that the service's file is in. @throws {LibraryMissing} Before 1.4. */
export function openPamOfFolder(): Functions<typeof PAM_OF_FOLDER> {
  return openLibrary(PAM_NAMES, PAM_OF_FOLDER).functions;
}

/** `pam_set_item` for items that are functions. */
export function openPamCallbackItem(): Functions<typeof PAM_CALLBACK_ITEM> {
  return openLibrary(PAM_NAMES, PAM_CALLBACK_ITEM).functions;
}

export function openC(): CFunctions {
  return openLibrary(C_NAMES, C).functions;
}

/** What PAM's functions give. */
export const PAM_CODES = {
  SUCCESS: 0,
  PERM_DENIED: 6,
  AUTH_ERR: 7,
  USER_UNKNOWN: 10,
  MAXTRIES: 11,
  NEW_AUTHTOK_REQD: 12,
  ACCT_EXPIRED: 13,
  CRED_EXPIRED: 16,
  CONV_ERR: 19,
  AUTHTOK_EXPIRED: 27,
} as const;

/** What can be set for a login. FAIL_DELAY is Linux-PAM's own. */
export const PAM_ITEMS = { USER: 2, TTY: 3, RHOST: 4, FAIL_DELAY: 10 } as const;

/** Modules shall say nothing to the user, and take no account in that has no password. */
export const PAM_FLAGS = 0x8000 | 0x0001;

/** Kinds of message in a conversation. */
export const PAM_MESSAGE = { ECHO_OFF: 1, ECHO_ON: 2, ERROR: 3, TEXT: 4 } as const;
