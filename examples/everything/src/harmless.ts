/** What all tools here have in common: they change nothing, and everybody may use them. */
export const harmless = {
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'everything:use',
} as const;
