import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionLimits } from "../../../src/net/connection_limits.ts";

function limits(maxima: Partial<ConnectionLimits["maxima"]> = {}): ConnectionLimits {
  return new ConnectionLimits({
    maxConnections: 3,
    maxConnectionsPerAddress: 2,
    maxConnectionsPerUser: 2,
    ...maxima,
  });
}

test("connections are counted in all and by address, and places come back", () => {
  const counted = limits();
  assert.equal(counted.admitConnection("a"), "admitted");
  assert.equal(counted.admitConnection("a"), "admitted");
  assert.equal(counted.admitConnection("a"), "tell", "two from one address are enough");
  assert.equal(counted.admitConnection("b"), "admitted");
  assert.equal(counted.admitConnection("c"), "tell", "three are enough");
  counted.releaseConnection("a", "admitted");
  assert.equal(counted.admitConnection("c"), "admitted");
  assert.equal(counted.connections, 3);
});

test("a client with a whole network of IPv6 gets one client's places, symptom: a limit 2^64 times as high", () => {
  const counted = limits({ maxConnections: 100 });
  assert.equal(counted.admitConnection("2001:db8::1"), "admitted");
  assert.equal(counted.admitConnection("2001:db8::2"), "admitted");
  assert.equal(counted.admitConnection("2001:db8::3"), "tell");
  assert.equal(counted.admitConnection("2001:db8:0:1::3"), "admitted");
  counted.releaseConnection("2001:db8::2", "admitted");
  assert.equal(counted.admitConnection("2001:db8::3"), "admitted");
});

test("a connection that was refused takes no place and gives none back", () => {
  const counted = limits({ maxConnections: 1 });
  assert.equal(counted.admitConnection("a"), "admitted");
  assert.equal(counted.admitConnection("a"), "tell");
  counted.releaseConnection("a", "tell");
  assert.equal(counted.admitConnection("a"), "tell");
  assert.equal(counted.connections, 1);
});

test("beyond a margin nobody is told any more, until some have gone", () => {
  const counted = limits({ maxConnections: 1 });
  counted.admitConnection("a");
  const told = [];
  let admission = counted.admitConnection("b");
  for (; admission === "tell" && told.length < 10_000; admission = counted.admitConnection("b")) {
    told.push(admission);
  }
  assert.equal(admission, "drop");
  assert.ok(told.length > 0);
  counted.releaseConnection("b", "tell");
  assert.equal(counted.admitConnection("b"), "tell");
  assert.equal(counted.admitConnection("b"), "drop");
});

test("dropping gives no place back", () => {
  const counted = limits();
  counted.releaseConnection("a", "drop");
  assert.equal(counted.connections, 0);
});

test("a user's sessions are counted by user, and a place that is given back twice counts once", () => {
  const counted = limits();
  const first = counted.admitUser("alice");
  const second = counted.admitUser("alice");
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(counted.admitUser("alice"), undefined);
  assert.ok(counted.admitUser("bob") !== undefined);
  first.release();
  first.release();
  assert.ok(counted.admitUser("alice") !== undefined);
  assert.equal(counted.admitUser("alice"), undefined);
});

test("new maxima hold for who comes, and end nobody who is there", () => {
  const counted = limits({ maxConnections: 2 });
  counted.admitConnection("a");
  counted.admitConnection("b");
  counted.maxima = { maxConnections: 1, maxConnectionsPerAddress: 2, maxConnectionsPerUser: 1 };
  assert.equal(counted.connections, 2);
  counted.releaseConnection("a", "admitted");
  assert.equal(counted.admitConnection("c"), "tell");
  counted.releaseConnection("b", "admitted");
  assert.equal(counted.admitConnection("c"), "admitted");
});
