/**
 * Checks the values of a settings file against the schema and turns zod's issues into faults.
 *
 * *Knows*: zod's issues, the schema's documentation. *Does not know*: the disk.
 */

import type { z } from "zod";
import { type Fault, shownValue } from "./faults.ts";
import { keyPath } from "./key_lines.ts";
import { settingDocs } from "./kinds.ts";
import { nearest } from "./nearest.ts";
import { directoryTables } from "./directory_tables.ts";
import { policyKeys, policyTexts } from "./policy_tables.ts";
import { certificateKeys, type SettingsFile, settingsFile } from "./schema.ts";
import type { TomlDocument } from "./toml.ts";

export interface CheckedValues {
  /** What is right, with defaults for what is not. */
  readonly values: SettingsFile;
  readonly faults: readonly Fault[];
  /** Top-level keys whose value is not what the file meant to say. */
  readonly doubtful: ReadonlySet<string>;
}

/** Checks all values; what can be used is given back even when something else cannot. */
export function checkValues(file: string, document: TomlDocument): CheckedValues {
  const { values, lines } = document;
  const doubtful = new Set(document.faults.map(({ key }) => key ?? ""));
  const result = settingsFile.safeParse(values);
  if (result.success) return { values: result.data, faults: [], doubtful };

  const faults: Fault[] = [];
  const add = (fault: Fault) => {
    // A value can break two rules of the schema, and is one fault.
    const isSame = ({ key, found }: Fault) => key === fault.key && found === fault.found;
    if (!faults.some(isSame)) faults.push(fault);
  };
  const right: Record<string, unknown> = { ...values };
  for (const issue of result.error.issues) {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    const top = String(path[0] ?? "");
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        add(unknownKey(file, lines, path, key, values));
        delete right[top === "" ? key : top];
      }
    } else {
      const misspelt = misspeltKind(path, values);
      const fault = misspelt === undefined
        ? badValue(file, lines, path, values)
        : unknownKey(file, lines, path.slice(0, -1), misspelt, values);
      // A key can be missing because its line was no TOML, which has been said already.
      if (fault.found !== NOTHING || document.faults.length === 0) add(fault);
      delete right[top];
    }
    doubtful.add(top);
  }
  return { values: settingsFile.parse(right), faults, doubtful };
}

/** What a fault says was found where a key is not there. */
const NOTHING = "nothing";

type Path = readonly (string | number)[];
type Lines = ReadonlyMap<string, number>;
type Shape = Readonly<Record<string, z.ZodType>>;

function valueAt(path: Path, values: unknown): unknown {
  return path.reduce<unknown>(
    (inner, part) => (inner as Record<string | number, unknown> | undefined)?.[part],
    values,
  );
}

function badValue(file: string, lines: Lines, path: Path, values: unknown): Fault {
  const key = path.reduce<string>(keyPath, "");
  const value = valueAt(path, values);
  const schema = schemaAt(path, values);
  const doc = schema && settingDocs.get(schema);
  const isItem = doc?.allowedItem !== undefined && typeof path.at(-1) === "number";
  const near = typeof value === "string" && schema !== undefined
    ? nearValue(value, schema, isItem)
    : undefined;
  return {
    file,
    line: lines.get(key) ?? lines.get(path.slice(0, -1).reduce<string>(keyPath, "")),
    key,
    found: value === undefined ? NOTHING : shownValue(value),
    allowed: (isItem ? doc.allowedItem : doc?.allowed) ?? "another value",
    ...(near === undefined ? {} : { nearest: near }),
  };
}

/** What somebody meant by a text that is not allowed, as TOML has it. */
function nearValue(value: string, schema: z.ZodType, isItem: boolean): string | undefined {
  const { choices, allowedItem } = settingDocs.get(schema) ?? {};
  const word = choices === undefined ? value : nearest(value, choices);
  if (word === undefined) return undefined;
  if (allowedItem !== undefined && !isItem) {
    return schema.safeParse([word]).success ? `[${shownValue(word)}]` : undefined;
  }
  return word === value ? undefined : shownValue(word);
}

/** The key that was meant to be the `kind` at this path; undefined if it is there or there is none. */
function misspeltKind(path: Path, values: unknown): string | undefined {
  if (path[0] !== "directories" || path.length !== 3 || path[2] !== "kind") return undefined;
  const table = valueAt(path.slice(0, -1), values);
  if (typeof table !== "object" || table === null || "kind" in table) return undefined;
  return Object.keys(table).find((key) => nearest(key, ["kind"]) !== undefined);
}

/** The schema of the key at `path`, or of the list that an item at `path` stands in. */
function schemaAt(path: Path, values: unknown): z.ZodType | undefined {
  const [top, , inTable] = path;
  const shape = inTable === undefined ? undefined : tableShape(path, values);
  const keys: Shape = shape ?? settingsFile.shape;
  return keys[String(shape === undefined ? top : inTable)];
}

/** The keys of the table that `path` leads into; undefined where it leads into none. */
function tableShape([top, item]: Path, values: unknown): Shape | undefined {
  if (top === "certificates") return certificateKeys;
  if (isPolicyTable(top)) return policyKeys[top] as Shape;
  if (top !== "directories") return undefined;
  const tables = (values as { readonly directories?: unknown }).directories;
  const table: unknown = Array.isArray(tables) ? tables[Number(item)] : undefined;
  const kind = (table as { readonly kind?: unknown } | undefined)?.kind;
  return Object.entries(directoryTables).find(([name]) => name === kind)?.[1].shape ??
    directoryTables.user_file.shape;
}

function isPolicyTable(top: unknown): top is keyof typeof policyKeys {
  return typeof top === "string" && Object.hasOwn(policyKeys, top);
}

/** What a fault calls a table. */
function nounOf(top: unknown): string {
  if (isPolicyTable(top)) return policyTexts[top].noun;
  return top === "directories" ? "directory" : "certificate";
}

function unknownKey(
  file: string,
  lines: Lines,
  table: Path,
  key: string,
  values: unknown,
): Fault {
  const path = keyPath(table.reduce<string>(keyPath, ""), key);
  const line = lines.get(path);
  const shown = { file, line, key: /^[\w.[\]-]{1,80}$/.test(path) ? path : shownValue(path) };
  const here: Shape = tableShape(table, values) ?? settingsFile.shape;
  if (table.length > 0 && Object.hasOwn(settingsFile.shape, key)) {
    // TOML has no end of a table: what stands below [[certificates]] belongs to it.
    const allowed = `this key above the first [[${table[0]}]]`;
    const found = `a key of the settings file in a ${nounOf(table[0])}'s table`;
    return { ...shown, found, allowed };
  }
  const near = nearestKey(key, here);
  return {
    ...shown,
    found: "an unknown key",
    allowed: "one of the keys that `popkeep config reference` lists",
    ...(near === undefined ? {} : { nearest: near }),
  };
}

/** The key that somebody meant: by Exchange's own name for it, or by its spelling. */
function nearestKey(key: string, shape: Shape): string | undefined {
  const known = Object.keys(shape);
  const counterpart = known.find((name) => {
    const schema = shape[name];
    const exchange = schema === undefined ? undefined : settingDocs.get(schema)?.exchange;
    return exchange?.toLowerCase() === key.toLowerCase();
  });
  return counterpart ?? nearest(key, known);
}
