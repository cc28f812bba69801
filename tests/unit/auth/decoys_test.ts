import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Decoys } from "../../../src/auth/user_file/decoys.ts";
import { parsePasswdContent } from "../../../src/auth/user_file/passwd_content.ts";

const NAMES = Array.from({ length: 1_000 }, (_, at) => `nobody${at}`);

/** Password fields of two kinds that a clock tells apart at once. None is computed here. */
const SLOW = (at: number) => `{BLF-CRYPT}$2y$12$${String(at).padStart(53, "a")}`;
const FAST = (at: number) => `{PLAIN}secret${at}`;

function users(count: number, field: (at: number) => string, name = "user"): string[] {
  return Array.from({ length: count }, (_, at) => `${name}${at}:${field(at)}`);
}

function decoysOf(lines: readonly string[]): Decoys {
  return new Decoys(parsePasswdContent(Buffer.from(lines.join("\n"))));
}

function isSlow(decoy: string): boolean {
  return decoy.startsWith("{BLF-CRYPT}");
}

function costsWith(lines: readonly string[]): boolean[] {
  const decoys = decoysOf(lines);
  return NAMES.map((name) => isSlow(decoys.decoyFor(name)));
}

/** How many of NAMES cost otherwise here than there. */
function differences(these: readonly boolean[], those: readonly boolean[]): number {
  return these.filter((slow, at) => slow !== those[at]).length;
}

const MIXED = [...users(60, SLOW, "slow"), ...users(20, FAST, "fast")];
const COSTS = costsWith(MIXED);

test("an unknown name costs the same in every spelling, as a known one does", () => {
  const decoys = decoysOf(MIXED);
  for (const name of NAMES.slice(0, 200)) {
    strictEqual(decoys.decoyFor(name.toUpperCase()), decoys.decoyFor(name));
  }
});

test("unknown names keep what they cost when the server starts anew", () => {
  strictEqual(differences(COSTS, costsWith(MIXED)), 0);
});

test("unknown names keep what they cost when lines change places", () => {
  strictEqual(differences(COSTS, costsWith(MIXED.toReversed())), 0);
});

for (const [kind, field] of [["slow", SLOW], ["fast", FAST]] as const) {
  test(`hardly any unknown name changes what it costs when a ${kind} user is added`, () => {
    let changed = 0;
    // Each is another file: one of them could be lucky.
    for (let at = 0; at < 3; at++) {
      changed += differences(COSTS, costsWith([...MIXED, `new:${field(2_000 + at)}`]));
    }
    // One in 81, and of those not all to another kind.
    ok(changed / 3 < NAMES.length / 40, `${changed / 3} of ${NAMES.length}`);
  });
}

test("no unknown name changes what it costs when the file grows and all users are of one kind", () => {
  strictEqual(differences(costsWith(users(5, SLOW)), costsWith(users(300, SLOW))), 0);
});

function isThreeQuartersSlow(costs: readonly boolean[]): void {
  const slow = costs.filter((slow) => slow).length;
  ok(Math.abs(slow / NAMES.length - 0.75) < 0.06, `${slow} of ${NAMES.length}`);
}

test("unknown names cost what known ones cost, in the same proportions, in files of any size", () => {
  isThreeQuartersSlow(COSTS);
  isThreeQuartersSlow(costsWith([...users(1_200, SLOW, "slow"), ...users(400, FAST, "fast")]));
});

test("the same password field of many users counts as many", () => {
  isThreeQuartersSlow(
    costsWith([...users(60, SLOW, "slow"), ...users(20, () => "{PLAIN}x", "fast")]),
  );
});

test("a kind of hash that one user in a hundred has is among the decoys, so that it marks nobody", () => {
  const fast = costsWith([...users(99, SLOW), `admin:${FAST(1)}`]).filter((slow) => !slow).length;
  ok(fast > 0 && fast < 30, `${fast} of ${NAMES.length}`);
});

test("parameters of one scheme that make it dearer are kinds of their own", () => {
  const pbkdf2 = (rounds: number) => (at: number) =>
    `{PBKDF2}$1$salt$${rounds}$${String(at).padStart(40, "0")}`;
  const { checkable } = parsePasswdContent(
    Buffer.from([...users(3, pbkdf2(5_000)), ...users(2, pbkdf2(600_000), "dear")].join("\n")),
  );
  deepStrictEqual([...checkable].map(([kind, fields]) => [kind, fields.length]), [
    ["pbkdf2 2^12", 3],
    ["pbkdf2 2^19", 2],
  ]);
});

test("who knows how many users of each kind there are cannot foresee what a name costs", () => {
  const others = [
    ...users(60, (at) => SLOW(at + 5_000), "slow"),
    ...users(20, (at) => FAST(at + 5_000), "fast"),
  ];
  // Were there no secret in it, none would differ; by chance 3/8 do.
  const changed = differences(COSTS, costsWith(others));
  ok(changed > NAMES.length / 4, `${changed} of ${NAMES.length}`);
});
