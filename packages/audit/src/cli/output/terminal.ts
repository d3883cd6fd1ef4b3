import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

/** A stream that may be a terminal; without `columns` its lines are as long as they need to be. */
export interface TableStream extends Writable {
  readonly columns?: number | undefined;
}

/** The colours that results and states are shown in. */
export type Colour = 'green' | 'yellow' | 'red' | 'magenta' | 'dim';

/** One cell of a table. */
export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}

// Controls, line and paragraph separators, bidirectional and invisible format characters, lone surrogates.
const UNSAFE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
const GAP = '  ';

/** Text of others as it may be shown in a terminal: what could move, hide or reorder something is spelt out. */
export function shownText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Colours text when the stream is a terminal that wants it (`NO_COLOR`, `FORCE_COLOR`). */
function coloured(stream: Writable, colour: Colour | undefined, text: string): string {
  return colour === undefined ? text : styleText(colour, text, { stream, validateStream: true });
}

/** Writes rows as columns of equal width; the last column takes what the terminal has left. */
export function writeTable(
  stream: TableStream,
  rows: readonly (readonly Cell[])[],
  minWidths: readonly number[] = [],
): void {
  const widths: number[] = [...minWidths];
  for (const row of rows) {
    for (const [index, { text }] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, widthOf(shownText(text)));
    }
  }
  for (const row of rows) {
    stream.write(`${line(stream, row, widths)}\n`);
  }
}

function line(stream: TableStream, row: readonly Cell[], widths: readonly number[]): string {
  let left = stream.columns ?? Number.POSITIVE_INFINITY;
  const cells: string[] = [];
  for (const [index, { text, colour }] of row.entries()) {
    const isLast = index === row.length - 1;
    const shown = shortened(shownText(text), Math.max(left, 1));
    cells.push(coloured(stream, colour, shown) + (isLast ? '' : padding(shown, widths[index] ?? 0)));
    left -= (widths[index] ?? 0) + GAP.length;
    if (left <= 0) {
      break;
    }
  }
  return cells.join(GAP).trimEnd();
}

function padding(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text)));
}

function shortened(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

function widthOf(text: string): number {
  return Array.from(text).length;
}
