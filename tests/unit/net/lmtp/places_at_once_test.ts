import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { PlacesAtOnce } from "../../../../src/net/lmtp/places_at_once.ts";

test("no more are taken than there are, in order, whoever wants few", async () => {
  const places = new PlacesAtOnce(10);
  const begun: string[] = [];
  const take = (name: string, count: number) =>
    void places.take(count).then(() => begun.push(name));
  take("eight", 8);
  take("five", 5);
  take("one", 1);
  await turn();
  deepStrictEqual(begun, ["eight"]);
  places.giveBack(8);
  await turn();
  deepStrictEqual(begun, ["eight", "five", "one"]);
  take("ten", 10);
  places.giveBack(5);
  await turn();
  deepStrictEqual(begun.length, 3);
  places.giveBack(1);
  await turn();
  deepStrictEqual(begun.at(-1), "ten");
});
