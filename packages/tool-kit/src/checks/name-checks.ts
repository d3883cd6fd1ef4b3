import type { Found } from './catalog-problem.ts';

/** What no client changes or refuses: Amazon Q takes nothing else, others put `_` in place of the rest. */
const PLAIN_NAME = /^[a-z](?:_?[a-z0-9])*$/u;
/** Cursor leaves out what is longer than 60 with the server's name and separators before it; a server's has 12. */
const MAX_NAME = 40;
/** Gemini CLI and Roo keep so many characters of a long name. */
const KEPT_BY_CUTTING = 30;

/** Whether every client takes the name of a tool as it is. */
export function checkName(name: string): readonly Found[] {
  return [
    ...(PLAIN_NAME.test(name)
      ? []
      : [
          {
            code: 'name_form',
            level: 'error',
            message: `Use lower-case words joined by single underscores: some clients refuse other names, and others change them. Write ${suggestion(name)}.`,
            clients: ['Amazon Q', 'Claude Code', 'Codex', 'OpenCode', 'Gemini CLI'],
          } as const,
        ]),
    ...(name.length <= MAX_NAME
      ? []
      : [
          {
            code: 'name_long',
            level: 'error',
            message: `The name has ${name.length} characters, and clients put that of the server before it. Use at most ${MAX_NAME}.`,
            clients: ['Cursor', 'VS Code', 'Amazon Q', 'Cline', 'Roo'],
          } as const,
        ]),
  ];
}

/** Names that a client would take for one. */
export function namesAlike(names: readonly string[]): ReadonlyMap<string, Found> {
  const byShown = Map.groupBy(names, (name) => plain(name).slice(0, KEPT_BY_CUTTING));
  return new Map(
    [...byShown.values()].flatMap((alike) =>
      alike.length < 2
        ? []
        : alike.map((name) => [
            name,
            {
              code: 'names_alike',
              level: 'error',
              message: `Clients that cut or change names cannot tell it from ${alike.filter((other) => other !== name).join(', ')}. Let names differ in their first ${KEPT_BY_CUTTING} characters.`,
              clients: ['Gemini CLI', 'Roo', 'Codex', 'OpenCode'],
            } as const,
          ]),
    ),
  );
}

function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]+/gu, '_');
}

function suggestion(name: string): string {
  const words = plain(name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/gu, '_'))
    .toLowerCase()
    .replaceAll(/^_+|_+$/gu, '');
  return PLAIN_NAME.test(words) ? words : `x_${words}`;
}
