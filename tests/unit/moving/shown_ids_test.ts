import assert from "node:assert/strict";
import { test } from "node:test";
import { countedValue, shownId } from "../../../src/moving/shown_ids.ts";

for (const id of ["1", "4f2a.7", "!", "~".repeat(70), "UID1-2", "0009", "9".repeat(70)]) {
  test(`an old unique-id stays as it was: ${id}`, () => {
    assert.deepEqual(shownId(id), { shown: id, isMapped: false });
  });
}

for (const id of ["~".repeat(71), "a b", "caf\xe9", "\x7f", "a\0", "9007199254740991"]) {
  test(`an old unique-id that cannot be shown is mapped, always alike: ${JSON.stringify(id)}`, () => {
    const { shown, isMapped } = shownId(id);
    assert.ok(isMapped);
    assert.match(shown, /^sha256-[0-9a-f]{40}$/);
    assert.equal(shownId(id).shown, shown);
    assert.notEqual(shownId(`${id}x`).shown, shown);
  });
}

test("the digest is of the octets, so that it is the same everywhere", () => {
  // printf 'a b' | sha256sum
  assert.equal(shownId("a b").shown, "sha256-c8687a08aa5d6ed2044328fa6a697ab8e96dc342");
});

test("the counter goes above decimal unique-ids that it could come to, and no others", () => {
  assert.equal(countedValue("25006"), 25_006);
  assert.equal(countedValue("0000012500000000"), 12_500_000_000);
  assert.equal(countedValue("7881299347898367"), 7_881_299_347_898_367);
  assert.equal(countedValue("99999999999999999999"), undefined);
  assert.equal(countedValue("4f"), undefined);
});
