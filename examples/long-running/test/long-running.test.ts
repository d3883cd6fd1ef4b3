import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLogger } from '@mcp-parts/observability';
import { assembleServer } from '@mcp-parts/server-kit';
import { connect, recordingAudit, testCaller, type TestQuestion } from '@mcp-parts/testing';
import type { JsonObject } from '@mcp-parts/tool-kit';
import { describe, expect, it, vi } from 'vitest';

import { createAddressBook, type Contact } from '../src/address-book.ts';
import { createImportContacts } from '../src/import-contacts.ts';

const ada = { name: 'Ada', phone: '1' };
const bob = { name: 'Bob', phone: '2' };

interface TalkOptions {
  readonly era: '2025' | '2026';
  readonly contacts: Map<string, Contact>;
  readonly onQuestion: (question: TestQuestion) => JsonObject;
}

/** A conversation with a server that imports contacts. */
async function talk({ era, contacts, onQuestion }: TalkOptions) {
  const state = await mkdtemp(join(tmpdir(), 'contacts-'));
  const audit = recordingAudit();
  const server = await assembleServer({
    serverInfo: { name: 'contacts', version: '1.0.0' },
    definitions: { tools: [createImportContacts(createAddressBook(contacts))] },
    logger: createLogger({ name: 'contacts', level: 'silent' }),
    ports: { audit },
    stateDirectory: state,
  });
  const caller = testCaller({ permissions: ['contacts:write'] });
  const { client, close } = await connect(server.table, { era, caller, onQuestion });
  return {
    audit,
    call: (name: string, input: JsonObject) => client.callTool({ name, arguments: input }),
    async [Symbol.asyncDispose]() {
      await close();
      await server[Symbol.asyncDispose]();
      await rm(state, { recursive: true, force: true });
    },
  };
}

describe.each(['2025', '2026'] as const)('an import, for a client of %s', (era) => {
  it('asks what to do with contacts that are there, and goes on after the answer', async () => {
    const contacts = new Map([['Ada', { name: 'Ada', phone: 'an old one' }]]);
    const asked: unknown[] = [];
    await using conversation = await talk({
      era,
      contacts,
      onQuestion({ params }) {
        asked.push(params['message']);
        return { action: 'accept', content: { onDuplicate: 'replace' } };
      },
    });

    const { structuredContent } = await conversation.call('import_contacts', { contacts: [ada, bob] });

    const { taskId } = structuredContent as { taskId: string };
    await vi.waitFor(async () => {
      const status = await conversation.call('import_contacts_status', { taskId });
      expect(status.structuredContent).toMatchObject({
        state: 'completed',
        message: 'Imported 2 contacts, and kept 0 as they were.',
      });
    });
    expect(asked).toEqual(['1 of these contacts are there already. Keep or replace them?']);
    expect([...contacts.values()]).toEqual([ada, bob]);
    // In 2026 a question ends the request that asks it, which the trail has as a call of its own.
    const imports = conversation.audit.calls.filter(({ intent }) => intent.taskId === taskId);
    expect(imports).toMatchObject([
      { intent: { target: 'import_contacts' }, outcome: { result: 'success' } },
    ]);
  });

  it('begins nothing when the person declines', async () => {
    const contacts = new Map([['Ada', { name: 'Ada', phone: 'an old one' }]]);
    await using conversation = await talk({ era, contacts, onQuestion: () => ({ action: 'decline' }) });

    const { isError } = await conversation.call('import_contacts', { contacts: [ada, bob] });

    expect(isError).toBe(true);
    expect([...contacts.values()]).toEqual([{ name: 'Ada', phone: 'an old one' }]);
  });

  it('asks nothing when all are new', async () => {
    const contacts = new Map<string, Contact>();
    await using conversation = await talk({
      era,
      contacts,
      onQuestion: () => {
        throw new Error('There is nothing to ask');
      },
    });

    await conversation.call('import_contacts', { contacts: [ada] });

    await vi.waitFor(() => expect(contacts.size).toBe(1));
  });
});
