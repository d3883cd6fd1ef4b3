import { describe, expect, it } from 'vitest';

import { createHostRule } from './host-rule.ts';

const isAllowed = createHostRule(['mcp.example.com', '127.0.0.1', '[::1]']);

describe('createHostRule', () => {
  it.each(['mcp.example.com', 'MCP.example.com:443', '127.0.0.1:3000', '[::1]:3000'])(
    'answers to the host %s',
    (host) => {
      expect(isAllowed(host)).toBe(true);
    },
  );

  it.each(['evil.example.com', 'mcp.example.com.evil.example', '', '127.0.0.1.evil.example:3000', undefined])(
    'refuses the host %j',
    (host) => {
      expect(isAllowed(host)).toBe(false);
    },
  );
});
