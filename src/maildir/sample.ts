/** Choosing a few of many to be looked at for all of them. */

/** `size` of the rows, evenly spread, or all of them when they are few; and the others. */
export function sampleOf(
  rows: Uint32Array,
  size: number,
): { readonly sample: Uint32Array; readonly rest: Uint32Array } {
  if (rows.length <= size) return { sample: rows, rest: new Uint32Array(0) };
  const sample = new Uint32Array(size);
  const rest = new Uint32Array(rows.length - size);
  let from = 0;
  for (let chosen = 0; chosen < size; chosen++) {
    const index = Math.floor(chosen * rows.length / size);
    rest.set(rows.subarray(from, index), from - chosen);
    sample[chosen] = rows[index]!;
    from = index + 1;
  }
  rest.set(rows.subarray(from), from - size);
  return { sample, rest };
}
