/**
 * Durations ("1h30m") and sizes ("1GiB") as people write them in the settings file, and back.
 *
 * *Knows*: units. *Does not know*: keys, ranges, TOML.
 */

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const OCTETS_OF_UNIT: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1_000,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  TB: 1_000_000_000_000,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * Reads a duration in ms: whole numbers with units d, h, m, s or ms, the larger first, each unit once.
 *
 * "0" needs no unit. Undefined for anything else: a bare number could mean seconds as well as minutes.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(?:\d+(?:ms|d|h|m|s))+$/.test(text)) return undefined;
  let total = 0;
  let smallestSoFar = Infinity;
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|d|h|m|s)/g)) {
    const unitMs = MS_OF_UNIT[unit ?? ""] ?? NaN;
    if (unitMs >= smallestSoFar) return undefined;
    smallestSoFar = unitMs;
    total += Number(digits) * unitMs;
  }
  return Number.isSafeInteger(total) ? total : undefined;
}

/** Writes a duration so that `parseDurationMs` reads it back: 5,400,000 is "1h30m". */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const unitMs = MS_OF_UNIT[unit] ?? NaN;
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text || "0";
}

/** Reads a size in octets: a whole number, alone or with B, kB, MB, GB, TB (thousands) or KiB to TiB (1024s). */
export function parseSizeOctets(text: string): number | undefined {
  const match = /^(\d+) ?([kKMGT]?i?B?)$/.exec(text);
  const unitOctets = OCTETS_OF_UNIT[match?.[2] ?? "none"];
  if (match === null || unitOctets === undefined) return undefined;
  const octets = Number(match[1]) * unitOctets;
  return Number.isSafeInteger(octets) ? octets : undefined;
}

/** Writes a size so that `parseSizeOctets` reads it back: 1,073,741,824 is "1GiB". */
export function formatSize(octets: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const unitOctets = OCTETS_OF_UNIT[unit] ?? NaN;
    if (octets >= unitOctets && octets % unitOctets === 0) return `${octets / unitOctets}${unit}`;
  }
  return String(octets);
}
