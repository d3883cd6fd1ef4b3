// Prints an access token of a person of the demo, which is valid for an hour: npm run --silent token [person]
import { fileURLToPath } from 'node:url';

import { DEMO_PORT, demoFolder, readDemo } from './demo-folder.mjs';

const PEOPLE = ['developer', 'release-manager', 'viewer'];
const SCOPES = 'deploy:read deploy:development deploy:staging deploy:production';

const [person = 'developer'] = process.argv.slice(2);
try {
  process.stdout.write(`${await tokenOf(person)}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function tokenOf(user) {
  if (!PEOPLE.includes(user)) {
    throw new Error(`The people of the demo are ${PEOPLE.join(', ')}; got ${JSON.stringify(user)}.`);
  }
  const root = fileURLToPath(new URL('..', import.meta.url));
  const demo = await readDemo(demoFolder(root, process.env.PORT ?? DEMO_PORT)).catch(() => undefined);
  const form = { grant_type: 'urn:mcp-parts:sandbox:user', user, scope: SCOPES };
  const response =
    demo &&
    (await fetch(`${demo.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...form, client_id: demo.clientId, resource: demo.endpoint }),
    }).catch(() => undefined));
  if (response === undefined) {
    throw new Error('The demo does not run. Start it with npm start, with the same PORT if it has one.');
  }
  const { access_token: token, error_description: problem } = await response.json();
  if (token === undefined) {
    throw new Error(`There is no token: ${problem}`);
  }
  return token;
}
