import { z } from 'zod';

import { defineEndpoint } from '../src/index.ts';

const Thing = z.object({ id: z.string() });

export const readThing = defineEndpoint({
  id: 'things.read',
  method: 'GET',
  path: '/things/{id}',
  response: Thing,
});

export const createThing = defineEndpoint({
  id: 'things.create',
  method: 'POST',
  path: '/things',
  body: Thing,
  response: Thing,
  explain: { 403: 'You may not create things; the owner of the shelf can grant it.' },
});

export const createThingOnce = defineEndpoint({
  id: 'things.create-once',
  method: 'POST',
  path: '/things',
  body: Thing,
  response: Thing,
  replay: 'key',
});

/** A signal that never aborts. */
export const { signal } = new AbortController();
