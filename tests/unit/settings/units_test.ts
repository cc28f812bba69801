import { strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatDuration,
  formatSize,
  parseDurationMs,
  parseSizeOctets,
} from "../../../src/settings/units.ts";

test("durations are whole numbers with units, the larger first", () => {
  const durations: [string, number][] = [
    ["30m", 1_800_000],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["500ms", 500],
    ["0", 0],
    ["0s", 0],
    ["007s", 7_000],
  ];
  for (const [text, ms] of durations) strictEqual(parseDurationMs(text), ms, text);
});

test("what is no duration is refused, a number without a unit above all", () => {
  const refused = [
    "",
    "30",
    "30M",
    "30 m",
    "30m ",
    " 30m",
    "1.5h",
    "-1s",
    "1e3s",
    "30min",
    "m",
    "1m1h",
    "1m1m",
    "1s1ms1s",
    "99999999999999999d",
    "1h,30m",
  ];
  for (const text of refused) strictEqual(parseDurationMs(text), undefined, text);
});

test("sizes are whole numbers of octets, in units of 1000 or 1024", () => {
  const sizes: [string, number][] = [
    ["512", 512],
    ["512B", 512],
    ["1KiB", 1_024],
    ["1kB", 1_000],
    ["1KB", 1_000],
    ["10MB", 10_000_000],
    ["10 MB", 10_000_000],
    ["1GiB", 1_073_741_824],
    ["2TiB", 2_199_023_255_552],
    ["3TB", 3_000_000_000_000],
    ["0", 0],
  ];
  for (const [text, octets] of sizes) strictEqual(parseSizeOctets(text), octets, text);
});

test("what is no size is refused", () => {
  const refused = ["", "KiB", "1.5GiB", "-1", "1e3", "1kiB", "1K", "1 GiB ", "1  GiB", "9999TiB1"];
  refused.push("99999999999999999999", "1PiB", "0x10", "toString");
  for (const text of refused) strictEqual(parseSizeOctets(text), undefined, text);
});

test("a written duration reads back as the same", () => {
  fc.assert(fc.property(fc.nat({ max: 10 ** 10 }), (ms) => {
    strictEqual(parseDurationMs(formatDuration(ms)), ms);
  }));
});

test("a written size reads back as the same", () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.nat({ max: 12 }), (octets, shift) => {
    const size = Math.floor(octets / 2 ** shift) * 2 ** shift;
    strictEqual(parseSizeOctets(formatSize(size)), size);
  }));
});

test("a duration is written with the largest units that it has", () => {
  strictEqual(formatDuration(5_400_000), "1h30m");
  strictEqual(formatDuration(0), "0");
  strictEqual(formatSize(1_073_741_824), "1GiB");
  strictEqual(formatSize(1_500), "1500");
});
