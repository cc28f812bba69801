/**
 * The functions of MIT Kerberos' GSS-API library that are called, as gssapi.h and gssapi_ext.h declare
 * them. Of the others, Heimdal's has neither the credential store in this form nor the channel-bound flag.
 */

import {
  type Functions,
  type Library,
  LibraryMissing,
  openLibrary,
} from "../../platform/foreign_functions.ts";

/** The soname has been the same since 2004; the plain name is for systems that are laid out otherwise. */
const NAMES = ["libgssapi_krb5.so.2", "libgssapi_krb5.so"];

const DECLARATIONS = {
  /** minor, name buffer, name type, out name. */
  gss_import_name: { takes: ["buffer", "buffer", "buffer", "buffer"], gives: "u32" },
  /** minor, name. */
  gss_release_name: { takes: ["buffer", "buffer"], gives: "u32" },
  /** minor, name, out text, out type. */
  gss_display_name: { takes: ["buffer", "pointer", "buffer", "pointer"], gives: "u32" },
  /** minor, status, kind of status, mechanism, message context, out text. */
  gss_display_status: {
    takes: ["buffer", "u32", "i32", "buffer", "buffer", "buffer"],
    gives: "u32",
  },
  /** minor, name, time, mechanisms, usage, credential store, out credential, mechanisms, time. */
  gss_acquire_cred_from: {
    takes: [
      "buffer",
      "pointer",
      "u32",
      "buffer",
      "i32",
      "buffer",
      "buffer",
      "pointer",
      "pointer",
    ],
    gives: "u32",
  },
  /** minor, credential. */
  gss_release_cred: { takes: ["buffer", "buffer"], gives: "u32" },
  /**
   * minor, context, credential, token, channel bindings, out name, mechanism, token, flags, time,
   * delegated credential.
   */
  gss_accept_sec_context: {
    takes: [
      "buffer",
      "buffer",
      "pointer",
      "buffer",
      "pointer",
      "buffer",
      "buffer",
      "buffer",
      "buffer",
      "pointer",
      "pointer",
    ],
    gives: "u32",
  },
  /** minor, context, token. */
  gss_delete_sec_context: { takes: ["buffer", "buffer", "pointer"], gives: "u32" },
  /** minor, context, confidential?, quality, message, out confidential?, out token. */
  gss_wrap: {
    takes: ["buffer", "pointer", "i32", "u32", "buffer", "pointer", "buffer"],
    gives: "u32",
  },
  /** minor, context, token, out message, confidential?, quality. */
  gss_unwrap: {
    takes: ["buffer", "pointer", "buffer", "buffer", "pointer", "pointer"],
    gives: "u32",
  },
  /** minor, buffer. */
  gss_release_buffer: { takes: ["buffer", "buffer"], gives: "u32" },
} as const;

export type GssapiFunctions = Functions<typeof DECLARATIONS>;

/** What an operator is told where the library is missing. */
export const LIBRARY_MISSING =
  "AUTH GSSAPI needs the Kerberos library of MIT (libgssapi_krb5.so.2, version 1.19 or later); on " +
  "Debian and Ubuntu install the package libgssapi-krb5-2, on Fedora krb5-libs, on Alpine krb5-libs, " +
  'or leave "gssapi_keytab" out';

/**
 * Opens the library.
 *
 * @throws {Error} If it is not there: `LIBRARY_MISSING` and the loader's reason.
 */
export function openGssapi(names: readonly string[] = NAMES): Library<typeof DECLARATIONS> {
  try {
    return openLibrary(names, DECLARATIONS);
  } catch (error) {
    if (!(error instanceof LibraryMissing)) throw error;
    throw new Error(`${LIBRARY_MISSING} (${error.message})`);
  }
}
