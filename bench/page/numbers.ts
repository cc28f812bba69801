/** Numbers as people read them. */

/** Three significant digits, none of them behind the point for what is 100 or more: 1,320, 18.7, 0.96. */
export function readable(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return value.toLocaleString("en-GB", { minimumFractionDigits: 0, maximumFractionDigits: digits });
}
