/** Which iterations and salt lengths are made up for somebody who has no SCRAM keys. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { LearntScramShapes } from "../../../src/auth/learnt_scram_shapes.ts";
import type { ScramKeys } from "../../../src/auth/login.ts";
import { chooseShape, ScramShapes, type ScramShapeUse } from "../../../src/auth/scram/shapes.ts";
import { DECOY_USERS, SCRAM_SHAPES } from "../../../src/limits.ts";

const NAMES = Array.from({ length: 1_000 }, (_, at) => `nobody${at}`);

const use = (iterations: number, saltOctets: number, users: number): ScramShapeUse => ({
  iterations,
  saltOctets,
  users,
});

function keys(iterations: number, saltOctets = 16): ScramKeys {
  const salt = new Uint8Array(saltOctets);
  return { iterations, salt, storedKey: new Uint8Array(32), serverKey: new Uint8Array(32) };
}

/** The shape of each of NAMES, in a server with this secret. */
function shapesOf(uses: readonly ScramShapeUse[], secret = "secret"): string[] {
  return NAMES.map((name) => {
    const shape = chooseShape(
      uses,
      (text) => createHmac("sha256", secret).update(`${text} ${name}`).digest(),
    );
    return `${shape?.iterations} ${shape?.saltOctets}`;
  });
}

/** How many of NAMES have one shape here and another there. */
function differences(these: readonly string[], those: readonly string[]): number {
  return these.filter((shape, at) => shape !== those[at]).length;
}

const MIXED = [use(100_000, 16, 60), use(4_096, 12, 20)];
const SHAPES = shapesOf(MIXED);

test("where no user has keys there is no shape to choose", () => {
  strictEqual(chooseShape([], () => new Uint8Array(32)), undefined);
});

test("where all keys are alike all unknown names are, whatever popkeep's own keys look like", () => {
  deepStrictEqual(new Set(shapesOf([use(4_096, 24, 3)])), new Set(["4096 24"]));
});

test("unknown names have the shapes that users have, in the same proportions", () => {
  const slow = SHAPES.filter((shape) => shape === "100000 16").length;
  ok(Math.abs(slow / NAMES.length - 0.75) < 0.06, `${slow} of ${NAMES.length}`);
  deepStrictEqual(new Set(SHAPES), new Set(["100000 16", "4096 12"]));
});

test("several directories count as one", () => {
  const parted = [use(4_096, 12, 15), use(100_000, 16, 60), use(4_096, 12, 5)];
  deepStrictEqual(shapesOf(parted), SHAPES);
});

test("hardly any unknown name gets another shape when a user comes", () => {
  const changed = differences(SHAPES, shapesOf([use(100_000, 16, 61), use(4_096, 12, 20)]));
  ok(changed < NAMES.length / 40, `${changed} of ${NAMES.length}`);
});

test("without the server's secret nobody can foresee the shape of a name", () => {
  const changed = differences(SHAPES, shapesOf(MIXED, "another"));
  ok(changed > NAMES.length / 4, `${changed} of ${NAMES.length}`);
});

test("of very many shapes the most frequent count, in whatever order they come", () => {
  const all = Array.from({ length: SCRAM_SHAPES + 9 }, (_, at) => use(5_000 + at, 16, 1 + at % 2));
  const counted = [all, all.toReversed()].map((uses) => {
    const shapes = new ScramShapes();
    for (const one of uses) shapes.addUse(one);
    return shapes.mostUsed();
  });
  strictEqual(counted[0]!.length, SCRAM_SHAPES);
  deepStrictEqual(counted[0], counted[1]);
  deepStrictEqual(
    counted[0]!.filter(({ users }) => users === 2).length,
    (SCRAM_SHAPES + 9 - 1) / 2,
  );
});

test("shapes are learnt of those who were looked up, each user once and as his keys are now", () => {
  const learnt = new LearntScramShapes();
  deepStrictEqual(learnt.mostUsed(), []);
  for (let time = 0; time < 3; time++) learnt.learn("alice", keys(4_096));
  learnt.learn("bob", keys(4_096));
  learnt.learn("carol", keys(8_192));
  learnt.learn("dave", undefined);
  deepStrictEqual(learnt.mostUsed(), [use(4_096, 16, 2), use(8_192, 16, 1)]);
  learnt.learn("bob", keys(8_192));
  learnt.learn("alice", undefined);
  deepStrictEqual(learnt.mostUsed(), [use(8_192, 16, 2)]);
});

test("of more users than are remembered those count who came last", () => {
  const learnt = new LearntScramShapes();
  learnt.learn("first", keys(4_096));
  for (let at = 0; at < DECOY_USERS; at++) learnt.learn(`user${at}`, keys(8_192));
  deepStrictEqual(learnt.mostUsed(), [use(8_192, 16, DECOY_USERS)]);
});
