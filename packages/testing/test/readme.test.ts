import { readFileSync, rmSync, writeFileSync } from 'node:fs';

// The examples of the README are tests: they are run as they stand there, in one file.
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gmsu)].map(([, code = '']) => code);
const file = new URL(`readme-examples-${process.pid}.ts`, import.meta.url);
writeFileSync(file, examples.join('\n'));
try {
  await import(/* @vite-ignore */ file.href);
} finally {
  rmSync(file);
}
