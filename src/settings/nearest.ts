/** Finds the word that somebody most likely meant when they misspelt it. Knows nothing of settings. */

/**
 * The candidate nearest to `word`, or undefined when none is near enough to be worth naming.
 *
 * Case and the separators `_`, `-` and space do not count, so that Exchange's spelling
 * (MaxConnections, SecureLogin) finds ours. Near enough is one slip in three letters, four at most.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const plain = plainSpelling(word);
  let best: string | undefined;
  let bestDistance = Math.min(4, Math.floor(plain.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain, plainSpelling(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function plainSpelling(word: string): string {
  // A key can be as long as its file; nobody misspells beyond this.
  return word.slice(0, 100).toLowerCase().replace(/[_\- ]/g, "");
}

/** Slips between two words: letters left out, added, changed, or two neighbours swapped. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, changed);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, beforeLast[j - 2]! + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
