// Runs the official conformance suite against one of everything, and says what fails.
//
//   pnpm conformance
import { createLogger } from '@mcp-parts/observability';

import { createDefinitions } from '../src/definitions.ts';
import { serveOpenly } from '../src/serve.ts';
import { complaints, passes, revisions, runSuite } from './suite.ts';

await using server = await serveOpenly(createDefinitions, {
  port: 0,
  logger: createLogger({ name: 'everything', level: 'error' }),
});
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
  process.stdout.write(`${revision}: ${scored.filter(passes).length} of ${scored.length}\n\n`);
  if (!scored.every(passes)) {
    process.exitCode = 1;
  }
}
