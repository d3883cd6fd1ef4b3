import { z } from 'zod';

import { endpoint } from '../src/index.ts';

const Thing = z.object({ id: z.string() });

export const readThing = endpoint({
  id: 'things.read',
  method: 'GET',
  path: '/things/{id}',
  response: Thing,
});

export const createThing = endpoint({
  id: 'things.create',
  method: 'POST',
  path: '/things',
  body: Thing,
  response: Thing,
  explain: { 403: 'You may not create things; the owner of the shelf can grant it.' },
});

export const createThingOnce = endpoint({
  id: 'things.create-once',
  method: 'POST',
  path: '/things',
  body: Thing,
  response: Thing,
  replay: 'key',
});

/** A signal that never aborts. */
export const { signal } = new AbortController();
