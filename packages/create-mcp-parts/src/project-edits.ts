import type { PartNames } from './part-names.ts';
import { UsageError } from './project-options.ts';

/** `src/definitions.ts` with one more tool, resource or prompt. @throws {UsageError} when its list is not found. */
export function addDefinition(
  text: string,
  kind: 'tool' | 'resource' | 'prompt',
  { camel, file }: PartNames,
): string {
  const call = kind === 'prompt' ? `${camel}()` : `${camel}(parts)`;
  const path = 'src/definitions.ts';
  const list = atEndOfList(text, `${kind}s: [`, call, path);
  return withImport(list, `import { ${camel} } from './${kind}s/${file}.ts';`);
}

/** `src/parts.ts` with one more backend. @throws {UsageError} when it has no place for it. */
export function addBackend(text: string, { camel, pascal, file }: PartNames): string {
  const path = 'src/parts.ts';
  const edits: readonly (readonly [RegExp, string])[] = [
    [/partSettings = \{ ?/u, `partSettings = { ...${camel}Settings, `],
    [/interface Parts \{\n/u, `interface Parts {\n  readonly ${camel}: Client;\n`],
    [/_?settings: SettingValues/u, 'settings: SettingValues'],
    [
      /\n {2}await use\(\{ ?/u,
      `\n  await using ${camel} = connect${pascal}(settings);\n  await use({ ${camel}, `,
    ],
  ];
  const edited = edits.reduce((before, [place, replacement]) => {
    const found = before.match(new RegExp(place, 'gu'));
    if (found?.length !== 1) {
      throw new UsageError(`${path} has been changed: add ${camel} to it by hand, as its other parts are`);
    }
    return before.replace(place, replacement);
  }, text);
  return withImport(
    edited.replaceAll(', }', ' }'),
    `import { connect${pascal}, ${camel}Settings } from './backends/${file}.ts';`,
    "import type { Client } from '@mcp-parts/resilient-client';",
  );
}

/** `test/program.ts` with the settings of one more backend. @throws {UsageError} when it has no place for them. */
export function addTestSettings(text: string, names: PartNames): string {
  const opening = 'backendEnvironment: Readonly<Record<string, string>> = {';
  if (!text.includes(opening)) {
    throw new UsageError(`test/program.ts has no "${opening}…}" to add settings to: add them by hand`);
  }
  const entries = backendEnvironment(names).map(([name, value]) => `\n  ${name}: '${value}',`);
  return text.replace(opening, `${opening}${entries.join('')}\n`).replace(/\n\n( {2}[A-Z])/gu, '\n$1');
}

/** A file of environment variables with those of one more backend. */
export function addSettings(text: string, names: PartNames): string {
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const added = backendEnvironment(names).map(([name, value]) => `${name}=${value}\n`);
  return before + added.join('');
}

/** The settings of a backend, with values to replace. */
function backendEnvironment({ constant, file }: PartNames): readonly (readonly [string, string])[] {
  return [
    [`${constant}_URL`, `https://${file}.example.com`],
    [`${constant}_TOKEN_URL`, 'https://identity.example.com/token'],
    [`${constant}_CLIENT_ID`, 'this-server'],
    [`${constant}_CLIENT_SECRET`, 'replace-me'],
  ];
}

/** Puts an entry at the end of a list, whether that stands on one line or on several. */
function atEndOfList(text: string, opening: string, entry: string, path: string): string {
  const start = text.indexOf(opening);
  const end = text.indexOf(']', start);
  if (start === -1 || end === -1 || text.includes(opening, start + 1)) {
    throw new UsageError(`${path} has no list "${opening}…]" to add ${entry} to: add it by hand`);
  }
  const before = text.slice(0, end);
  const isOnOneLine = !text.slice(start, end).includes('\n');
  if (isOnOneLine) {
    const separator = before.endsWith('[') ? '' : ', ';
    return `${before}${separator}${entry}${text.slice(end)}`;
  }
  const indentation = /\n( *)$/u.exec(before)?.[1] ?? '';
  return `${before.trimEnd()}\n${indentation}  ${entry},\n${indentation}${text.slice(end)}`;
}

/** Puts imports where the others of their kind are: packages first, then files of the project. */
function withImport(text: string, own: string, packaged?: string): string {
  const firstOwn = text.search(/^import .* from '\.\/.*';$/mu);
  const at = firstOwn === -1 ? 0 : firstOwn;
  const withOwn = `${text.slice(0, at)}${own}\n${text.slice(at)}`;
  return packaged === undefined || text.includes(packaged) ? withOwn : `${packaged}\n${withOwn}`;
}
