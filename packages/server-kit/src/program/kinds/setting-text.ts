import { readFileSync } from 'node:fs';

import { pathProblem } from './path-setting.ts';

/** The text of one variable, or what is wrong with it before anybody asks what it should mean. */
export type SettingText = { readonly text: string | undefined } | { readonly problem: string };

const QUOTES = `"'\`“”‘’`;
const PAIR_OF_QUOTES = new RegExp(`^([${QUOTES}])[\\s\\S]*[${QUOTES}]$`, 'u');
const STRAY_QUOTE = new RegExp(`^[${QUOTES}]|[${QUOTES}]$`, 'u');
const LINE_BREAKS_AT_END = /[\r\n]+$/u;
/** What templates leave behind where they had no value. */
const NO_VALUE = /^(?:undefined|null|None|\[object Object\])$/u;
/** `${NAME}`, `{{ name }}` and `%NAME%`: a shell or a template would have replaced them. */
const NOT_REPLACED = /\$\{[^}]*\}|\{\{[^}]*\}\}|^%\w+%/u;
// Control characters, and the invisible ones that come along when text is copied from a page.
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/u;

/**
 * Reads a variable, or the file that `NAME_FILE` names. What editors and shells add without being asked is taken off:
 * a byte order mark and line breaks at the end, and, unless it is a secret, white space around it. What cannot be meant is
 * a problem, which names the variable and never repeats a secret.
 */
export function readSettingText(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
  isSecret: boolean,
): SettingText {
  const file = environment[`${name}_FILE`];
  // An empty variable is one that was not set: that is how compose files and manifests leave one out.
  const direct = environment[name] === '' ? undefined : environment[name];
  if (file === undefined || file === '') {
    return direct === undefined ? { text: undefined } : checked(name, direct, { isSecret, isFile: false });
  }
  if (direct !== undefined) {
    return { problem: `${name} and ${name}_FILE are both set` };
  }
  const path = checked(`${name}_FILE`, file, { isSecret: false, isFile: false });
  if ('problem' in path) {
    return path;
  }
  const problem = pathProblem(path.text ?? '');
  if (problem !== undefined) {
    return { problem: `${name}_FILE: ${problem}` };
  }
  return readFile(name, path.text ?? '', isSecret);
}

function readFile(name: string, path: string, isSecret: boolean): SettingText {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { problem: `${name}_FILE cannot be read (${code})` };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // PowerShell 5 redirects into UTF-16.
    return { problem: `${name}_FILE: the file is not UTF-8: save it as UTF-8` };
  }
  if (text.trim() === '') {
    return { problem: `${name}_FILE: the file is empty` };
  }
  return checked(name, text, { isSecret, isFile: true });
}

function checked(
  name: string,
  raw: string,
  { isSecret, isFile }: { readonly isSecret: boolean; readonly isFile: boolean },
): SettingText {
  const line = raw.replace(/^\ufeff/u, '').replace(LINE_BREAKS_AT_END, '');
  const text = isSecret ? line : line.trim();
  const problem = textProblem(name, text, { isSecret, isFile });
  return problem === undefined ? { text } : { problem: `${name}: ${problem}` };
}

function textProblem(
  name: string,
  text: string,
  { isSecret, isFile }: { readonly isSecret: boolean; readonly isFile: boolean },
): string | undefined {
  if (text.trim() === '') {
    return 'is nothing but white space: write the value, or leave the variable out';
  }
  if (text.startsWith(`${name}=`)) {
    return `holds its own name: write what follows "${name}="`;
  }
  // A secret may begin and end with quotes. In a file nobody puts them there for a shell, so there they count.
  const isQuoted = isSecret
    ? !isFile && PAIR_OF_QUOTES.test(text) && text.length > 1
    : STRAY_QUOTE.test(text);
  if (isQuoted) {
    const hint = isSecret
      ? `; if they belong to it, put it into a file and set ${name}_FILE`
      : suggestion(name, withoutQuotes(text));
    return `is in quotes, which would be part of the value: write it without them${hint}`;
  }
  if (NO_VALUE.test(text)) {
    return 'is what a template writes where it has no value: write the value, or leave the variable out';
  }
  // PEM has lines of its own.
  if (!text.startsWith('-----BEGIN ') && INVISIBLE.test(text)) {
    return 'holds a line break or an invisible character: write it again, in one line';
  }
  if (isSecret) {
    return undefined;
  }
  if (NOT_REPLACED.test(text)) {
    return 'holds a variable that nothing replaces here: write the value itself';
  }
  return /\s#/u.test(text)
    ? `holds a comment, which would be part of the value: write it without${suggestion(name, text.replace(/\s+#.*$/u, ''))}`
    : undefined;
}

function withoutQuotes(text: string): string {
  return text.replace(new RegExp(`^[${QUOTES}]+|[${QUOTES}]+$`, 'gu'), '').trim();
}

/** The text to write instead, unless it may hold credentials, as URLs do. */
function suggestion(name: string, text: string): string {
  return text === '' || /[@?\s]|:\/\/[^/]*:/u.test(text) ? '' : `, as ${name}=${text}`;
}
