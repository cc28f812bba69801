/** That no call to the disk is waited for but through the gate, and what becomes of files that hang. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const room = fileURLToPath(new URL("../../../src/maildir/", import.meta.url));

/** Names that a file takes from node:fs, and from node:fs/promises, types apart. */
function takenFrom(module: string, source: string): string[] {
  const lines = source.matchAll(
    new RegExp(`^import (?!type)\\{([^}]*)\\} from "${module}";`, "gm"),
  );
  return [...lines].flatMap(([, names]) => names!.split(",")).map((name) => name.trim()).filter(
    (name) => name !== "" && !name.startsWith("type "),
  );
}

test("only mailbox_disk.ts makes calls to the disk that are waited for", () => {
  const callers: string[] = [];
  for (const name of readdirSync(room)) {
    const source = readFileSync(`${room}/${name}`, "utf8");
    ok(!source.includes("filesystemKnown(") || name === "mailbox_disk.ts", name);
    if (takenFrom("node:fs/promises", source).length > 0) callers.push(name);
    const atOnce = takenFrom("node:fs", source).filter((taken) => taken !== "constants");
    // Of /proc, which is no disk.
    deepStrictEqual(atOnce, name === "dot_lock.ts" ? ["readFileSync", "readlinkSync"] : [], name);
  }
  deepStrictEqual(callers, ["mailbox_disk.ts"]);
});

test("the files of the room are found", () => {
  strictEqual(takenFrom("node:fs", 'import { constants, type Stats } from "node:fs";').length, 1);
});
