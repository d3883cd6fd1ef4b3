import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

/** What a terminal shows at once. */
const SCREEN_LINES = 40;

it('takes one screen to write a tool with a question, progress and a picture', () => {
  const readme = readFileSync(new URL('../../../packages/tool-kit/README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/^```ts\n(?<code>.*?)^```$/gmsu)].map(({ groups }) => groups?.['code']);
  const all = blocks.filter((code) =>
    ['ask(', 'progress(', 'imageContent('].every((part) => code?.includes(part)),
  );
  expect(all).toHaveLength(1);
  expect(all[0]?.split('\n').length).toBeLessThanOrEqual(SCREEN_LINES);
});
