/**
 * The kinds of value that a setting can have: how each is read from TOML, and what its documentation
 * says of range and default, so that both come from the same numbers.
 *
 * *Knows*: zod, units, bindings. *Does not know*: which keys there are.
 */

import { z } from "zod";
import { parseBinding } from "./binding.ts";
import { formatDuration, formatSize, parseDurationMs, parseSizeOctets } from "./units.ts";

/** What the documentation says of one key; it hangs on the key's schema in `settingDocs`. */
export interface SettingDoc {
  /** What it does, in sentences. */
  readonly about: string;
  /** The kind of value in words, with its unit. */
  readonly kind: string;
  /** What is allowed, as a fault says it after "allowed is". */
  readonly allowed: string;
  /** The default as TOML text, or in words in parentheses; undefined when the key must be given. */
  readonly default: string | undefined;
  /** Words that are allowed, where the value is one of a few. */
  readonly choices?: readonly string[];
  /** Where the value is a list: what is allowed of one item of it. */
  readonly allowedItem?: string;
  /** Where the value is the path of a file that has to be readable: whether it is a secret. */
  readonly file?: "open" | "secret";
  /** The parameter of Exchange's Set-PopSettings that does the same. */
  readonly exchange?: string;
}

/** The documentation of every key, by its schema. */
export const settingDocs = z.registry<SettingDoc>();

/** A kind of value: its schema with default, and the part of the documentation that follows from it. */
export interface Kind<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly doc: Omit<SettingDoc, "about" | "exchange">;
}

/** A key: a kind of value, what it does, and its counterpart in Set-PopSettings. */
export function setting<Schema extends z.ZodType>(
  kind: Kind<Schema>,
  about: string,
  exchange?: string,
): Schema {
  settingDocs.add(kind.schema, {
    ...kind.doc,
    about,
    ...(exchange === undefined ? {} : { exchange }),
  });
  return kind.schema;
}

/** The kind of value that becomes an absolute path. */
const PATH = "path, relative to the folder of the settings file";

/** What is fetched over the network is trusted as much as the network between is. */
const URL_OR_NOTHING =
  /^(?:https:\/\/[^\s/]+\S*|http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]+)?(?:\/\S*)?)?$/;

/** What the documentation says of a list: many people write one value without its brackets. */
function listDoc(items: string, example: string, item = items) {
  return {
    allowed: `a list in [ ] of ${items}, such as [${example}]`,
    allowedItem: item,
  };
}

interface Range {
  readonly min: number;
  readonly default: number;
  readonly max: number;
}

/** Text that `read` turns into a value; undefined from it is a fault. */
function readText<Value>(read: (text: string) => Value | undefined) {
  return z.string().transform((text, context) => {
    const value = read(text);
    if (value !== undefined) return value;
    context.issues.push({ code: "custom", message: "not allowed", input: text });
    return z.NEVER;
  });
}

function within(value: number | undefined, { min, max }: Range): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

/** A duration with units; the value is in ms. */
export function duration(range: Range) {
  const fallback = formatDuration(range.default);
  return {
    schema: readText((text) => within(parseDurationMs(text), range)).prefault(fallback),
    doc: {
      kind: "duration",
      default: `"${fallback}"`,
      allowed: `"${formatDuration(range.min)}" to "${formatDuration(range.max)}", ` +
        `written with units d, h, m, s or ms, such as "${fallback === "0" ? "5m" : fallback}"`,
    },
  };
}

/** A size: a whole number of octets, or text with a unit; the value is in octets. */
export function size(range: Range, zeroMeans?: string) {
  const read = z.union([
    z.bigint().transform(Number).refine((octets) => within(octets, range) !== undefined),
    readText((text) => within(parseSizeOctets(text), range)),
  ]);
  const [most, example] = range.max < 10_000
    ? [`${range.max} octets`, '512 or "1KiB"']
    : [formatSize(range.max), '"10MB" or "1GiB"'];
  const zero = zeroMeans === undefined ? "" : `; 0 ${zeroMeans}`;
  return {
    schema: read.prefault(formatSize(range.default)),
    doc: {
      kind: "size in octets",
      default: `"${formatSize(range.default)}"`,
      allowed: `${range.min} to ${most}, as a number or with a unit, such as ${example}${zero}`,
    },
  };
}

/** A whole number of `unit`. */
export function count(range: Range, unit: string) {
  return {
    schema: z.bigint().min(BigInt(range.min)).max(BigInt(range.max)).transform(Number)
      .prefault(BigInt(range.default)),
    doc: {
      kind: `whole number of ${unit}`,
      default: String(range.default),
      allowed: `a whole number, ${range.min} to ${range.max}`,
    },
  };
}

export function yesOrNo(fallback: boolean) {
  return {
    schema: z.boolean().prefault(fallback),
    doc: { kind: "true or false", default: String(fallback), allowed: "true or false" },
  };
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
  fallback: Words[number],
) {
  return {
    schema: z.enum(words).prefault(fallback as z.output<z.ZodEnum<z.util.ToEnum<Words[number]>>>),
    doc: {
      kind: "one of a few words",
      default: `"${fallback}"`,
      allowed: words.map((word) => `"${word}"`).join(", ").replace(/, ([^,]*)$/, " or $1"),
      choices: words,
    },
  };
}

/** A list of a few words; empty unless set. */
export function choices<const Words extends readonly [string, ...string[]]>(
  words: Words,
  kind: string,
) {
  const all = words.map((word) => `"${word}"`).join(", ");
  return {
    schema: z.array(z.enum(words)).prefault([]),
    doc: {
      kind,
      default: "[]",
      ...listDoc(all, `"${words[0]}"`),
      choices: words,
    },
  };
}

/** Text that must match `pattern`, which `allowed` puts into words. */
export function text(
  options: {
    readonly pattern: RegExp;
    readonly allowed: string;
    readonly kind?: string;
    readonly default: string | { readonly found: () => string; readonly inWords: string };
  },
) {
  const fallback = options.default;
  const schema = z.string().regex(options.pattern);
  return {
    schema: typeof fallback === "string"
      ? schema.prefault(fallback)
      : schema.prefault(() => fallback.found()),
    doc: {
      kind: options.kind ?? "text",
      default: typeof fallback === "string" ? JSON.stringify(fallback) : `(${fallback.inWords})`,
      allowed: options.allowed,
    },
  };
}

/** A list of addresses to listen on. */
export function bindings(fallback: readonly string[]) {
  return {
    schema: z.array(readText(parseBinding)).prefault([...fallback]),
    doc: {
      kind: "list of addresses with ports",
      default: `[${fallback.map((binding) => `"${binding}"`).join(", ")}]`,
      allowed: 'a list in [ ] of IPv4 "address:port" and IPv6 "[address]:port", each with a port ' +
        'up to 65535, such as ["127.0.0.1:110", "[::]:110"]; 0 takes any free port, [] listens ' +
        "nowhere",
      allowedItem:
        'IPv4 "address:port" or IPv6 "[address]:port" with a port up to 65535, such as ' +
        '"127.0.0.1:110" or "[::]:110"; 0 takes any free port',
    },
  };
}

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

/** What the items of a list of texts have in common. */
export interface ItemKind {
  /** What the list is called. */
  readonly kind: string;
  readonly holds: RegExp | ((item: string) => boolean);
  /** What the items are, in the plural. */
  readonly items: string;
  /** One or two, as TOML has them. */
  readonly example: string;
}

function itemSchema({ holds }: ItemKind) {
  return z.string().refine((item) => holds instanceof RegExp ? holds.test(item) : holds(item));
}

/** A list of texts; empty unless set. */
export function texts(item: ItemKind) {
  return {
    schema: z.array(itemSchema(item)).prefault([]),
    doc: { kind: item.kind, default: "[]", ...listDoc(item.items, item.example) },
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

/** A list of paths, made absolute later. */
export function paths() {
  // deno-lint-ignore no-control-regex -- NUL is the one octet that no path can hold
  const schema = z.array(z.string().regex(/^[^\x00]+$/));
  return {
    schema: schema.prefault([]),
    doc: {
      kind: `list of paths, each ${PATH.slice("path, ".length)}`,
      default: "[]",
      ...listDoc("paths", '"list.pem"', "a path"),
    },
  };
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

/** Text on one line, or that matches `pattern`; without a default the key must be given. */
export function freeText(
  options: {
    readonly kind: string;
    readonly default?: string;
    readonly pattern?: RegExp;
    readonly most?: number;
    readonly allowed?: string;
  },
) {
  const { kind, most = 1_024, allowed = kind } = options;
  const schema = z.string().max(most).regex(options.pattern ?? /^[^\p{Cc}]*$/u);
  const fallback = options.default;
  return {
    schema: fallback === undefined ? schema : schema.prefault(fallback),
    doc: {
      kind,
      default: fallback === undefined ? undefined : JSON.stringify(fallback),
      allowed: fallback === "" ? `${allowed}, or ""` : allowed,
    },
  };
}

/** A list of a bounded number of texts; one with a least number must be given. */
export function listOf(
  options: ItemKind & { readonly least?: number; readonly most?: number },
) {
  const { kind, items, example, least = 0, most = 1_000 } = options;
  const schema = z.array(itemSchema(options)).min(least).max(most);
  return {
    schema: least > 0 ? schema : schema.prefault([]),
    doc: { kind, default: least > 0 ? undefined : "[]", ...listDoc(items, example) },
  };
}
