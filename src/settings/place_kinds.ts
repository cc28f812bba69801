/**
 * The kinds of value that say where something is: paths and URLs.
 *
 * *Knows*: zod. *Does not know*: which keys there are, the disk.
 */

import { z } from "zod";

/** The kind of value that becomes an absolute path. */
export const PATH = "path, relative to the folder of the settings file";

/** What is fetched over the network is trusted as much as the network between is. */
const URL_OR_NOTHING =
  /^(?:https:\/\/[^\s/]+\S*|http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]+)?(?:\/\S*)?)?$/;

/** A path, made absolute later; without a default the key must be given. */
export function path(fallback?: string) {
  // deno-lint-ignore no-control-regex -- NUL is the one octet that no path can hold
  const schema = z.string().regex(/^[^\x00]+$/);
  return {
    schema: fallback === undefined ? schema : schema.prefault(fallback),
    doc: {
      kind: PATH,
      default: fallback === undefined ? undefined : JSON.stringify(fallback),
      allowed: "a path",
    },
  };
}

/** A path, made absolute later; "" is none. */
export function optionalPath(none: string) {
  // deno-lint-ignore no-control-regex -- NUL is the one octet that no path can hold
  const schema = z.string().regex(/^[^\x00]*$/);
  return {
    schema: schema.prefault(""),
    doc: { kind: PATH, default: '""', allowed: `a path; "" ${none}` },
  };
}

/** The path of a file that has to be readable, made absolute later; "" is none. */
export function optionalFile(none: string, file: "open" | "secret") {
  const { schema, doc } = optionalPath(none);
  return { schema, doc: { ...doc, file } };
}

/** An https URL, or http to this machine; "" is none. */
export function url(none: string) {
  return {
    schema: z.string().regex(URL_OR_NOTHING).prefault(""),
    doc: {
      kind: "URL",
      default: '""',
      allowed: `an https URL, or an http one on this machine; "" ${none}`,
    },
  };
}

/** An https URL, http to this machine, or a path, made absolute later; "" is none. */
export function urlOrPath(none: string) {
  // deno-lint-ignore no-control-regex -- NUL is the one octet that no path can hold
  const isPath = /^(?![a-z]+:\/\/)[^\x00]*$/;
  return {
    schema: z.string().refine((text) => URL_OR_NOTHING.test(text) || isPath.test(text)).prefault(
      "",
    ),
    doc: {
      kind: "URL, or path relative to the folder of the settings file",
      default: '""',
      allowed: `an https URL, an http one on this machine, or a path; "" ${none}`,
    },
  };
}
