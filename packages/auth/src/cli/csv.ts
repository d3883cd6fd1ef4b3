/**
 * One record of RFC 4180. A cell that a spreadsheet would run as a formula starts with an apostrophe, so that a name in
 * a directory cannot run in an auditor's spreadsheet (OWASP, "CSV Injection").
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => csvCell(cell)).join(',')}\r\n`;
}

function csvCell(cell: string): string {
  const safe = /^[\s]*[=+\-@\t\r\n|%＝＋－＠]/u.test(cell) ? `'${cell}` : cell;
  return /[",\r\n']/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
