// Runs the official conformance suite against one of everything, and says what fails.
//
//   pnpm conformance
import { createLogger } from '@mcp-parts/observability';

import { createDefinitions } from '../src/definitions.ts';
import { serveOpenly } from '../src/serve.ts';
import { complaints, passes, passesForReal, revisions, runSuite } from './suite.ts';
import { createUnrelated } from './unrelated.ts';

const options = { port: 0, logger: createLogger({ name: 'everything', level: 'silent' }) };
await using server = await serveOpenly(createDefinitions, options);
await using unrelated = await serveOpenly(createUnrelated, options);
for (const revision of revisions) {
  const results = await runSuite(server.url, revision);
  const scored = results.filter(({ scored: counts }) => counts);
  for (const result of results) {
    const mark = passes(result) ? 'passes' : 'FAILS ';
    process.stdout.write(`${mark} ${result.scenario}${result.scored ? '' : ' (not scored)'}\n`);
    process.stdout.write(
      complaints(result)
        .map((line) => `       ${line}\n`)
        .join(''),
    );
  }
  process.stdout.write(`${revision}: ${scored.filter(passes).length} of ${scored.length}\n`);
  const forNothing = (await runSuite(unrelated.url, revision)).filter(passesForReal);
  const names = forNothing.map(({ scenario }) => scenario).join(', ');
  process.stdout.write(
    `Of these, a server with one unrelated tool passes ${forNothing.length}: ${names}\n\n`,
  );
  if (!scored.every(passes)) {
    process.exitCode = 1;
  }
}
