/** Somebody in the address book. */
export interface Contact {
  readonly name: string;
  readonly phone: string;
}

/** Stands for a system of yours: saving takes its time. */
export interface AddressBook {
  readonly has: (name: string) => boolean;
  readonly save: (contact: Contact, options: { readonly signal: AbortSignal }) => Promise<void>;
}

/** An address book in memory. */
export function createAddressBook(contacts: Map<string, Contact>): AddressBook {
  return {
    has: (name) => contacts.has(name),
    async save(contact, { signal }) {
      signal.throwIfAborted();
      contacts.set(contact.name, contact);
    },
  };
}
