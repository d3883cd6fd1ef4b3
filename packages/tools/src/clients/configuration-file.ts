import { copyFile, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import {
  applyEdits,
  findNodeAtLocation,
  getNodeValue,
  modify,
  parseTree,
  type ParseError,
} from 'jsonc-parser';

import type { Addition } from './entry.ts';

/** Something is there already, and stays as it is. */
export class EntryExists extends Error {
  override readonly name = 'EntryExists';
}

/** The additions as a document of their own. */
export function documentOf(additions: readonly Addition[], syntax: 'json' | 'toml'): string {
  return syntax === 'json' ? addToJson('{}', additions, false) : tomlOf(additions);
}

/**
 * Adds to the text of a configuration, in place: all else in it, comments included, stays as it is.
 *
 * @throws {EntryExists} when an entry of the name is there, unless it may be replaced.
 * @throws {Error} for a text that is not of the syntax.
 */
export function addTo(
  text: string,
  additions: readonly Addition[],
  syntax: 'json' | 'toml',
  mayReplace: boolean,
): string {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const own = text.slice(mark.length);
  const added =
    syntax === 'json'
      ? addToJson(own.trim() === '' ? '{}' : own, additions, mayReplace)
      : addToToml(own, additions);
  return mark + added;
}

/** Writes a file whole or not at all, and keeps what was there beside it. Its folder is made; a link stays one. */
export async function replaceFile(named: string, text: string): Promise<void> {
  await mkdir(dirname(named), { recursive: true });
  const path = await realpath(named).catch(() => named);
  const before = await stat(path).catch(() => undefined);
  if (before !== undefined) {
    await copyFile(path, `${path}.before-mcp-tools`);
  }
  const beside = `${path}.new`;
  // It may hold what only its owner should read.
  await writeFile(beside, text, { mode: before === undefined ? 0o600 : before.mode });
  await rename(beside, path);
}

/** The text of a file; empty for one that does not exist. @throws {Error} for one whose bytes would not stay what they are. */
export async function readConfiguration(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return '';
    }
    throw error;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error('it is not UTF-8, so it is left as it is', { cause });
  }
}

/** Editors of Windows begin files with it. */
const BYTE_ORDER_MARK = '\ufeff';
const FORMATTING = { insertSpaces: true, tabSize: 2, eol: '\n' };

function addToJson(text: string, additions: readonly Addition[], mayReplace: boolean): string {
  let document = text;
  for (const { path, value, isItem = false } of additions) {
    const errors: ParseError[] = [];
    const root = parseTree(document, errors, { allowTrailingComma: true });
    if (errors.length > 0 || root?.type !== 'object') {
      throw new Error('it is no JSON object, so it is left as it is');
    }
    const there = findNodeAtLocation(root, [...path]);
    if (isItem) {
      const items: unknown = there === undefined ? [] : getNodeValue(there);
      const list = Array.isArray(items) ? (items as readonly { readonly id?: unknown }[]) : [];
      if (list.some(({ id }) => id === (value as { readonly id: unknown }).id)) {
        continue;
      }
    } else if (there !== undefined && !mayReplace) {
      throw new EntryExists(`there is ${path.join('.')} already`);
    }
    const edits =
      isItem && there === undefined
        ? modify(document, [...path], [value], { formattingOptions: FORMATTING })
        : modify(document, isItem ? [...path, -1] : [...path], value, {
            formattingOptions: FORMATTING,
            ...(isItem && { isArrayInsertion: true }),
          });
    document = applyEdits(document, edits);
  }
  return document.endsWith('\n') ? document : `${document}\n`;
}

/** A table of its own at the end changes nothing that stands before it. */
function addToToml(text: string, additions: readonly Addition[]): string {
  for (const { path } of additions) {
    const [root = '', name = ''] = path;
    const isThere = new RegExp(
      `^\\s*(?:\\[\\s*${root}\\s*\\.\\s*["']?${name}["']?\\s*[.\\]]|${root}\\s*(?:=|\\.\\s*["']?${name}["']?))`,
      'mu',
    );
    if (isThere.test(text)) {
      throw new EntryExists(`there is ${path.join('.')} already`);
    }
  }
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${before}${before === '' ? '' : '\n'}${tomlOf(additions)}`;
}

function tomlOf(additions: readonly Addition[]): string {
  return additions
    .map(({ path, value }) => {
      const members = Object.entries(value as Readonly<Record<string, unknown>>);
      return [
        `[${path.join('.')}]`,
        ...members.map(([name, member]) => `${name} = ${tomlValue(member)}`),
        '',
      ].join('\n');
    })
    .join('\n');
}

/** TOML 1.0: a JSON string is a basic string, but for the one control character that JSON does not escape. */
function tomlValue(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(tomlValue).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, member]) => `${tomlValue(name)} = ${tomlValue(member)}`)
      .join(', ')} }`;
  }
  return JSON.stringify(value).replaceAll('\u007f', String.raw`\u007f`);
}
