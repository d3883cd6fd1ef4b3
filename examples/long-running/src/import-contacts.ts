import { accepted, defineTool, form } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import type { AddressBook } from './address-book.ts';

const onDuplicate = z.enum(['keep', 'replace']);
const contact = z.strictObject({ name: z.string().min(1).max(80), phone: z.string().max(30) });

/** `import_contacts`: what the person has to say is asked first; the work goes on after the answer, and in the next process. */
export function createImportContacts(book: AddressBook) {
  return defineTool({
    name: 'import_contacts',
    title: 'Import contacts',
    description:
      'Imports contacts into the address book. Asks the person what to do with those that are there already. Follow it with import_contacts_status.',
    input: z.strictObject({
      contacts: z.array(contact).min(1).max(500),
      onDuplicate: onDuplicate.optional(),
    }),
    output: z.object({ imported: z.int(), kept: z.int() }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: 'contacts:write',
    longRunning: {
      // To save a contact again does no harm, so a new process may begin again.
      onInterrupted: 'resume',
      title: ({ contacts }) => `Import of ${contacts.length} contacts`,
      async prepare(input, { ask }) {
        const present = input.contacts.filter(({ name }) => book.has(name)).length;
        if (present === 0 || input.onDuplicate !== undefined) {
          return input;
        }
        const message = `${present} of these contacts are there already. Keep or replace them?`;
        return { ...input, ...accepted(await ask(form(message, z.object({ onDuplicate })))) };
      },
    },
    async handle({ contacts, onDuplicate = 'keep' }, { progress, signal }) {
      let imported = 0;
      for (const one of contacts) {
        if (onDuplicate === 'replace' || !book.has(one.name)) {
          await book.save(one, { signal });
          imported += 1;
        }
        progress(imported, contacts.length, `${one.name} is done.`);
      }
      return { imported, kept: contacts.length - imported };
    },
    text: ({ imported, kept }) => `Imported ${imported} contacts, and kept ${kept} as they were.`,
  });
}
