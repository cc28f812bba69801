/**
 * The kinds of list that a setting can have.
 *
 * *Knows*: zod, bindings. *Does not know*: which keys there are.
 */

import { isIP } from "node:net";
import { z } from "zod";
import { parseBinding } from "./binding.ts";
import { readText } from "./kinds.ts";
import { parseLmtpBinding } from "./lmtp_binding.ts";
import { PATH } from "./place_kinds.ts";

/** What the documentation says of a list: many people write one value without its brackets. */
function listDoc(items: string, example: string, item = items) {
  return {
    allowed: `a list in [ ] of ${items}, such as [${example}]`,
    allowedItem: item,
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

/** A list of addresses and sockets to listen on; empty unless set. */
export function lmtpBindings(pathOctets: number) {
  const item =
    'IPv4 "address:port", IPv6 "[address]:port" or "unix:" with an absolute path of at most ' +
    `${pathOctets} octets`;
  return {
    schema: z.array(readText(parseLmtpBinding)).prefault([]),
    doc: {
      kind: "list of addresses with ports and of sockets",
      default: "[]",
      ...listDoc(item, '"127.0.0.1:24", "unix:/run/popkeep/lmtp"'),
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

/** A list of texts; empty unless set, or another default is given. */
export function texts(item: ItemKind, fallback: readonly string[] = []) {
  return {
    schema: z.array(itemSchema(item)).prefault([...fallback]),
    doc: {
      kind: item.kind,
      default: `[${fallback.map((text) => JSON.stringify(text)).join(", ")}]`,
      ...listDoc(item.items, item.example),
    },
  };
}

/** A list of whole percentages, 1 to 100, each once. */
export function percentages(fallback: readonly number[]) {
  const percentage = z.bigint().min(1n).max(100n).transform(Number);
  return {
    schema: z.array(percentage).max(20).prefault(fallback.map(BigInt)),
    doc: {
      kind: "list of whole numbers",
      default: `[${fallback.join(", ")}]`,
      ...listDoc("up to 20 whole numbers, 1 to 100", "80, 95", "a whole number, 1 to 100"),
    },
  };
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

/** Addresses and networks, for `texts`. */
export const ADDRESSES: ItemKind = {
  kind: "list of addresses and networks",
  holds: isNetwork,
  items: "IP addresses and networks",
  example: '"192.0.2.7", "2001:db8::/32"',
};

/** Whether it is an address, or one with as many bits behind it as there are at most. */
function isNetwork(text: string): boolean {
  const [, address = "", bits = "0"] = /^([^/]*)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && !address.includes("%") && Number(bits) <= (version === 4 ? 32 : 128);
}
