/** The pages in which all users of a database are listed, from databases that fail, change or mix names up. */

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_ROWS, type QueryResult } from "../../../src/auth/sql/database.ts";
import { isQueryFault, parseIterateQuery } from "../../../src/auth/sql/query_template.ts";
import { listRows, type UserListing } from "../../../src/auth/sql/user_listing.ts";
import { testProperty } from "../../support/property.ts";

/** How a database answers: by its names as they are then, in an order in which letter case does not count. */
function pagesOf(names: () => readonly string[]): UserListing["ask"] {
  const compare = (a: string, b: string) => {
    const [left, right] = [a.toLowerCase(), b.toLowerCase()];
    return left < right ? -1 : left > right ? 1 : 0;
  };
  return (_, [after], most) => {
    const rows = names().filter((name) => after === undefined || compare(name, after) >= 0)
      .toSorted(compare).slice(0, most).map((name) => ({ popkeep_name_0: name }));
    return Promise.resolve({ columns: most === 0 ? ["user"] : ["popkeep_name_0"], rows });
  };
}

const listing = (ask: UserListing["ask"], rows: number): UserListing => ({
  iterateQuery: "SELECT 1",
  dialect: "sqlite",
  columns: ["user"],
  ask,
  rows,
});

async function listed(ask: UserListing["ask"], rows: number): Promise<string[]> {
  const users: string[] = [];
  for await (const { user } of listRows(listing(ask, rows))) users.push(user);
  return users;
}

testProperty(
  "every name is listed once, whatever the pages, also those that are one to the database",
  fc.asyncProperty(
    fc.array(fc.stringMatching(/^[abAB]{1,3}$/), { maxLength: 40 }),
    fc.integer({ min: 9, max: 60 }),
    async (names, rows) => {
      // Three letters have eight spellings, and each name is there once more.
      const distinct = [...new Set(names)];
      deepStrictEqual(
        (await listed(pagesOf(() => distinct), rows)).sort(),
        distinct.toSorted(),
      );
    },
  ),
  200,
);

test("who is there throughout is listed, whoever comes and goes between pages", async () => {
  let page = 0;
  const stay = ["b", "d", "f", "h", "j", "l"];
  const users = await listed(
    pagesOf(() => {
      page++;
      return page % 2 === 0 ? [...stay, "a", "c", "e", "g"] : [...stay, "i", "k"];
    }),
    3,
  );
  deepStrictEqual(stay.filter((name) => !users.includes(name)), []);
  strictEqual(new Set(users).size, users.length);
});

test("a list that breaks off is an Error, after those who were listed", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const whole = pagesOf(() => names);
  const breaks: readonly (readonly [() => Promise<QueryResult>, RegExp])[] = [
    [() => Promise.reject(new Error("gone away")), /gone away/],
    [() => Promise.resolve(NO_ROWS), /does not know a name/],
  ];
  for (const [second, expected] of breaks) {
    let asked = 0;
    const users: string[] = [];
    await rejects(async () => {
      const pages = listRows(listing((...all) => ++asked === 3 ? second() : whole(...all), 3));
      for await (const { user } of pages) users.push(user);
    }, expected);
    deepStrictEqual(users, ["a", "b"]);
  }
});

test("names after which a page cannot begin are an Error", async () => {
  await rejects(listed(pagesOf(() => ["a", "b\ufffd", "c"]), 2), /no UTF-8/);
  await rejects(listed(pagesOf(() => ["a", "a", "a", "b"]), 2), /with one name/);
});

test("a list has no variables and is one statement", () => {
  strictEqual(
    parseIterateQuery("SELECT name AS user FROM users;\n", "mysql"),
    "SELECT name AS user FROM users",
  );
  const cases: readonly (readonly [string, RegExp])[] = [
    ["SELECT 1 WHERE u = {user}", /iterate_query has a variable/],
    ["SELECT 1 WHERE u = '{user}'", /iterate_query has a variable in quotes/],
    ["SELECT 1 WHERE u = ?", /iterate_query has a variable or a parameter/],
    ["SELECT 1 WHERE u = {name}", /iterate_query knows no variable/],
    ["SELECT 1; DELETE FROM users", /iterate_query is more than one statement/],
  ];
  for (const [query, expected] of cases) {
    const read = parseIterateQuery(query, "mysql");
    match(isQueryFault(read) ? read.fault : "", expected, query);
  }
});
