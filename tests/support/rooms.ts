/**
 * Who may import whom in src/, and the reading of import lines that holds the rooms to it.
 *
 * A file's faults are sentences, so that whoever crosses a wall learns which one and what to do.
 * *Knows* the table of docs/design.md. *Does not know* TypeScript: it reads lines, which is enough for
 * code that `deno fmt` has laid out.
 */

/** A room, a file of a room, or either with " (types)" behind it where only types may be taken. */
type Door = string;

interface Room {
  readonly may: readonly Door[];
  /** npm packages that it may use; `node:` modules are free to impure rooms but for `ONLY_IN_NET`. */
  readonly packages: readonly string[];
  /** Pure: the same values in give the same values out. No I/O, no clock, no chance. */
  readonly pure: boolean;
}

const LOG = "@logtape/logtape";

/** limits.ts is open to all. */
export const ROOMS: Readonly<Record<string, Room>> = {
  wire: { may: [], packages: [], pure: true },
  octet_kernel: { may: [], packages: [], pure: true },
  message: { may: ["octet_kernel"], packages: [], pure: true },
  maildrop: { may: [], packages: [], pure: true },
  session: {
    may: [
      "wire",
      "message",
      "octet_kernel",
      "maildrop",
      "auth/login.ts",
      "auth/mechanism.ts",
      "auth/secure_channel.ts",
    ],
    packages: [],
    pure: true,
  },
  counted_address: { may: [], packages: [], pure: true },
  platform: { may: [], packages: [LOG], pure: false },
  auth: {
    may: [
      "maildrop (types)",
      "maildrop/quota_rule.ts",
      "maildrop/user_variables.ts",
      "settings/units.ts",
      "platform",
      "counted_address",
    ],
    packages: [
      LOG,
      "hash-wasm",
      "@mongodb-js/saslprep",
      "jose",
      "ldapts",
      "mysql2",
      "pg",
      "rate-limiter-flexible",
    ],
    pure: false,
  },
  maildir: { may: ["maildrop", "message", "platform"], packages: [LOG], pure: false },
  moving: { may: ["maildir", "maildrop", "platform"], packages: [], pure: false },
  delivery: {
    may: ["maildir", "maildrop", "message", "platform", "settings/units.ts"],
    packages: [LOG],
    pure: false,
  },
  upkeep: { may: ["maildir", "maildrop", "message"], packages: ["mailparser"], pure: false },
  admin: { may: ["maildrop", "session (types)", "platform"], packages: [LOG], pure: false },
  net: {
    may: ["session", "wire", "maildrop", "auth (types)", "admin", "platform", "counted_address"],
    packages: [LOG, "smtp-server"],
    pure: false,
  },
  settings: { may: [], packages: ["zod", "smol-toml"], pure: false },
  cli: {
    may: ["*"],
    packages: [LOG, "commander", "mailparser", "selfsigned", "zod", "smol-toml"],
    pure: false,
  },
  main: { may: ["cli"], packages: [], pure: false },
};

/** Files outside the pure rooms that are pure all the same: mechanisms know no I/O (STYLE: go-sasl). */
const PURE_FILES = /^src\/auth\/(?:mechanisms\/\w+|mechanism|login|secure_channel)\.ts$/;

/** The only modules of the runtime that a pure file may use. */
const PURE_MODULES = new Set(["node:buffer"]);

/** What a pure file may take from node:crypto: functions that give the same for the same. */
const PURE_CRYPTO =
  /^\{\s*(createHash|createHmac|hash|timingSafeEqual)(\s*,\s*(createHash|createHmac|hash|timingSafeEqual))*,?\s*\}$/;

/** DESIGN.md: net is the only room that knows sockets; cli puts servers together, and only that. */
const ONLY_IN_NET = new Set(["node:net", "node:tls", "node:dgram", "node:http", "node:https"]);

const IMPURE_GLOBALS: readonly [RegExp, string][] = [
  [/\bDate\b/, "reads the clock with Date"],
  [/\bperformance\b/, "reads the clock with performance"],
  [/\bset(Timeout|Interval|Immediate)\b/, "sets a timer"],
  [/\bMath\s*\.\s*random\b/, "throws dice with Math.random"],
  [/\bcrypto\s*\./, "uses the crypto global, which draws random octets"],
  [/\bconsole\s*\./, "writes to the console"],
  [/\bprocess\s*\./, "knows the process it runs in"],
  [/\bfetch\s*\(/, "fetches"],
];

/** What any impure room may take from node:net: questions about addresses, which open nothing. */
const ADDRESS_QUESTIONS =
  /^\{\s*(isIP|isIPv4|isIPv6|BlockList)(\s*,\s*(isIP|isIPv4|isIPv6|BlockList))*,?\s*\}$/;

const GENERIC_NAMES = new Set(["utils", "util", "common", "helpers", "helper", "types", "index"])
  .add("mod");

interface Import {
  readonly from: string;
  /** What stands between `import` and `from`. */
  readonly what: string;
  readonly typeOnly: boolean;
}

/** The faults of one file of src/ or of main.ts, as sentences; `path` is relative to the project. */
export function roomFaults(path: string, source: string): string[] {
  const name = path.split("/").at(-1)!.replace(/\.ts$/, "");
  const faults: string[] = [];
  if (GENERIC_NAMES.has(name)) {
    faults.push(
      `${path} is called "${name}", which does not say what it holds; name what it does.`,
    );
  }
  const roomName = roomOf(path);
  if (roomName === "limits") return faults;
  const room = ROOMS[roomName];
  if (room === undefined) {
    return [...faults, `${path} stands in no room that the table knows; add "${roomName}" to it.`];
  }
  const code = withoutComments(source);
  for (const found of importsOf(code)) {
    const fault = importFault(path, roomName, room, found);
    if (fault !== undefined) faults.push(fault);
  }
  const bare = withoutStrings(code);
  if (roomName !== "platform" && /\b(Bun|Deno)\b/.test(bare)) {
    faults.push(`${path} names Bun or Deno; what only one runtime has belongs in src/platform.`);
  }
  if (isPure(path, room)) {
    for (const [pattern, what] of IMPURE_GLOBALS) {
      if (pattern.test(bare)) faults.push(`${path} ${what}, and it is a pure file.`);
    }
  }
  return faults;
}

/** The room a file stands in: its folder in src/, or its name for files that stand alone. */
export function roomOf(path: string): string {
  const parts = path.replace(/^src\//, "").split("/");
  return parts.length > 1 ? parts[0]! : parts[0]!.replace(/\.ts$/, "");
}

function isPure(path: string, room: Room): boolean {
  return room.pure || PURE_FILES.test(path);
}

function importFault(
  path: string,
  roomName: string,
  room: Room,
  found: Import,
): string | undefined {
  const { from } = found;
  if (!from.startsWith(".")) return moduleFault(path, roomName, room, found);
  const target = resolve(path, from);
  const targetRoom = roomOf(target);
  if (targetRoom === roomName || targetRoom === "limits" || room.may.includes("*")) {
    return undefined;
  }
  const targetFile = target.replace(/^src\//, "");
  if (room.may.includes(targetRoom) || room.may.includes(targetFile)) return undefined;
  if (room.may.includes(`${targetRoom} (types)`)) {
    if (found.typeOnly) return undefined;
    return `${path} takes more than types from ${target}; the room ${roomName} may take only types there.`;
  }
  const doors = room.may.length === 0 ? "no other room" : room.may.join(", ");
  return `${path} imports ${target}, but the room ${roomName} may import ${doors}.`;
}

function moduleFault(
  path: string,
  roomName: string,
  room: Room,
  found: Import,
): string | undefined {
  const { from } = found;
  if (isPure(path, room)) {
    if (PURE_MODULES.has(from)) return undefined;
    if (from === "node:crypto" && PURE_CRYPTO.test(found.what)) return undefined;
    return `${path} imports ${from}, and it is a pure file: no I/O, no clock, no packages.`;
  }
  if (from.startsWith("node:")) {
    if (!ONLY_IN_NET.has(from) || roomName === "net" || found.typeOnly) return undefined;
    if (from === "node:net" && ADDRESS_QUESTIONS.test(found.what)) return undefined;
    return `${path} imports ${from}; only the room net knows sockets.`;
  }
  if (room.packages.some((name) => from === name || from.startsWith(`${name}/`))) return undefined;
  return `${path} imports the package ${from}, which is not one of the room ${roomName}.`;
}

/** Resolves a relative import against the file it stands in, within the project. */
function resolve(path: string, from: string): string {
  const parts = path.split("/").slice(0, -1);
  for (const step of from.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== ".") parts.push(step);
  }
  return parts.join("/");
}

const IMPORT_FORMS: readonly RegExp[] = [
  /\b(?:import|export)\s+(type\s+)?(?:[\w*\s{},]+?\s+from\s+)"([^"]+)"/g,
  /\bimport\s+()"([^"]+)"/g,
  /\bimport\s*\(\s*()"([^"]+)"/g,
  /\bnew\s+URL\(\s*()"(\.[^"]+\.ts)"/g,
];

function importsOf(code: string): Import[] {
  return IMPORT_FORMS.flatMap((form) =>
    [...code.matchAll(form)].map((match) => ({
      from: match[2]!,
      what: /^\w+\s+([^]*?)\s+from\b/.exec(match[0])?.[1] ?? "",
      typeOnly: match[1] !== undefined && match[1] !== "" || onlyTypesNamed(match[0]),
    }))
  );
}

/** True for `import { type A, type B } from`: every name in the braces is a type. */
function onlyTypesNamed(line: string): boolean {
  const names = /^import\s*\{([^}]*)\}/.exec(line)?.[1]?.split(",").map((name) => name.trim())
    .filter((name) => name !== "");
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith("type "));
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\//g, " ").replace(/(^|[^:"'`\\])\/\/.*$/gm, "$1");
}

function withoutStrings(code: string): string {
  const bare = code.replace(/`(?:[^`\\]|\\.)*`/g, insertionsOf);
  return bare.replace(/"(?:[^"\\\n]|\\.)*"/g, '""').replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

/** The code inside a template literal; its text says nothing about what a file does. */
function insertionsOf(template: string): string {
  return [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, inserted]) => inserted).join(" ");
}
