import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDovecotUidlFormat } from "../../../src/moving/dovecot_uidl_format.ts";

const FACTS = { uid: 300, uidValidity: 1_700_000_000, fileName: "17.M1P1.Host", guid: "Ab12" };

const FORMATS = {
  "%08Xu%08Xv": "0000012c6553f100",
  "%{uid | hex(8)}%{uidvalidity | hex(8)}": "0000012c6553f100",
  "%{uid|hex}": "12c",
  "%u.%v": "300.1700000000",
  "%v.%u": "1700000000.300",
  "%f": "17.M1P1.Host",
  "%g": "Ab12",
  "%{guid}": "Ab12",
  "%{filename | lower}": "17.m1p1.host",
  "%{guid | upper | reverse}": "21BA",
  "UID%u-%v": "UID300-1700000000",
  "%%%u": "%300",
  "%08u": "00000300",
  "%2u": "30",
  "%1.2u": "00",
  "%-2.1u": "0",
  "%-1u": "3",
  "%Lf": "17.m1p1.host",
  "%URg": "21BA",
  "%08X{uid}": "0000012c",
};

for (const [format, wanted] of Object.entries(FORMATS)) {
  test(`pop3_uidl_format = ${format} gives ${wanted}`, () => {
    const make = parseDovecotUidlFormat(format);
    assert.ok(typeof make === "function", JSON.stringify(make));
    assert.equal(make(FACTS), wanted);
  });
}

for (
  const format of [
    "",
    "constant",
    "%%",
    "%m",
    "%{md5}",
    "%x",
    "%",
    "%{uid",
    "%Xf",
    "%Hu",
    "%{uid|md5}",
    "%{filename|hex}",
    "%{uid|lower(3)}",
    "%{}",
    "%constructor",
    "%{constructor}",
  ]
) {
  test(`pop3_uidl_format = "${format}" is refused, with the reason`, () => {
    const made = parseDovecotUidlFormat(format);
    assert.ok("fault" in made && made.fault.length > 10);
  });
}
