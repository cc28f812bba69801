/**
 * The kinds of value that a setting can have: how each is read from TOML, and what its documentation
 * says of range and default, so that both come from the same numbers.
 *
 * *Knows*: zod, units, bindings. *Does not know*: which keys there are.
 */

import { z } from "zod";
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

interface Range {
  readonly min: number;
  readonly default: number;
  readonly max: number;
}

/** Text that `read` turns into a value; undefined from it is a fault. */
export function readText<Value>(read: (text: string) => Value | undefined) {
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
      allowed:
        `${range.min} to ${most}, as a number or with kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as ${example}${zero}`,
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

/** A whole number of `unit`, or `word`. */
export function countOr<const Word extends string>(range: Range, unit: string, word: Word) {
  const { schema, doc } = count(range, unit);
  return {
    schema: z.union([z.literal(word), schema]).prefault(BigInt(range.default)),
    doc: {
      ...doc,
      kind: `${doc.kind}, or "${word}"`,
      allowed: `${doc.allowed}, or "${word}"`,
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
