import assert from "node:assert/strict";
import { test } from "node:test";
import { FairLine } from "../../../src/net/fair_line.ts";

const all = <T>(line: FairLine<T>) => {
  const taken: T[] = [];
  for (let one; (one = line.take()) !== undefined;) taken.push(one);
  return taken;
};

test("addresses take turns, and one address its own in order", () => {
  const line = new FairLine<string>();
  for (const name of ["a1", "a2", "a3"]) line.add("192.0.2.1", name);
  line.add("192.0.2.2", "b1");
  line.add("2001:db8::1", "c1");
  line.add("2001:db8::2", "c2");
  assert.equal(line.length, 6);
  assert.deepEqual(all(line), ["a1", "b1", "c1", "a2", "c2", "a3"]);
  assert.equal(line.length, 0);
});

test("room is made by those who are more than others, and by nobody where all are alike", () => {
  const line = new FairLine<string>();
  for (let site = 0; site < 5; site++) line.add(`192.0.2.${site}`, `${site}`);
  assert.equal(line.makeRoomFor("198.51.100.1"), undefined);
  for (const name of ["x", "y"]) line.add("192.0.2.3", name);
  assert.equal(line.makeRoomFor("192.0.2.3"), undefined, "not for one of them");
  assert.equal(line.makeRoomFor("198.51.100.1"), "y");
  assert.equal(line.makeRoomFor("198.51.100.1"), "x");
  assert.equal(line.makeRoomFor("198.51.100.1"), undefined);
  line.add("192.0.2.3", "z");
  assert.deepEqual(all(line), ["0", "1", "2", "3", "4", "z"]);
  line.add("192.0.2.1", "again");
  assert.equal(line.makeRoomFor("198.51.100.1"), undefined);
});
