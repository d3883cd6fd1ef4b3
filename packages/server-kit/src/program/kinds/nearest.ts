/** The one of `names` that a typing error, another case or another separator makes of `text`. */
export function nearest(text: string, names: Iterable<string>): string | undefined {
  const plain = letters(text);
  // A missed letter in four is no typing error any more.
  let least = Math.min(2, Math.floor(plain.length / 4)) + 1;
  let near: string | undefined;
  for (const name of names) {
    const distance = editDistance(plain, letters(name), least);
    if (distance < least) {
      least = distance;
      near = name;
    }
  }
  return near;
}

function letters(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/gu, '');
}

/** Letters to add, leave out, replace or exchange with a neighbour (optimal string alignment), or at least `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) {
    return limit;
  }
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + cost);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, at(before, column - 2) + 1);
      }
      current.push(best);
    }
    before = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0;
}
