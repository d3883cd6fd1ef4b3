import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/**
 * Keeps the provider's sessions, codes, grants and registered clients in memory. The provider itself rejects what
 * has expired; nothing is evicted, a sandbox does not live long enough for that to matter.
 */
export function createMemoryAdapter(): AdapterFactory {
  const records = new Map<string, AdapterPayload>();

  return (model) => {
    const key = (id: string): string => `${model}:${id}`;
    const findBy = (member: 'uid' | 'userCode', value: string): AdapterPayload | undefined =>
      [...records].find(([id, payload]) => id.startsWith(`${model}:`) && payload[member] === value)?.[1];

    const adapter: Adapter = {
      async upsert(id, payload) {
        records.set(key(id), payload);
      },
      async find(id) {
        return records.get(key(id));
      },
      async findByUid(uid) {
        return findBy('uid', uid);
      },
      async findByUserCode(userCode) {
        return findBy('userCode', userCode);
      },
      async consume(id) {
        const payload = records.get(key(id));
        if (payload) {
          payload.consumed = Math.floor(Date.now() / 1000);
        }
      },
      async destroy(id) {
        records.delete(key(id));
      },
      async revokeByGrantId(grantId) {
        for (const [id, payload] of records) {
          if (payload.grantId === grantId) {
            records.delete(id);
          }
        }
      },
    };
    return adapter;
  };
}
