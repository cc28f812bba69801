/** Choosing a few of many to be looked at for all of them. */

/** `size` of the rows, evenly spread, or all of them when they are few; and the others. */
export function sampleOf(
  rows: Uint32Array,
  size: number,
): { readonly sample: Uint32Array; readonly rest: Uint32Array } {
  if (rows.length <= size) return { sample: rows, rest: new Uint32Array(0) };
  const sample = new Uint32Array(size);
  const rest = new Uint32Array(rows.length - size);
  let chosen = 0;
  for (let index = 0; index < rows.length; index++) {
    if (index === Math.floor(chosen * rows.length / size)) sample[chosen++] = rows[index]!;
    else rest[index - chosen] = rows[index]!;
  }
  return { sample, rest };
}
