import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { findService } from './find-service.ts';

const missing = { program: 'no-such-program', debianPackage: 'no-such-package' };
const advice = 'no-such-program is not installed (Debian: apt-get install no-such-package)';

describe('findService', () => {
  let written: string[];
  beforeEach(() => {
    written = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it('finds a program in the PATH', () => {
    expect(findService({ program: 'sh', debianPackage: 'dash' })).toMatch(/^\/.*\/sh$/);
    expect(written).toEqual([]);
  });

  it('says what to install', () => {
    vi.stubEnv('REQUIRE_SERVICES', undefined);
    expect(findService(missing)).toBeUndefined();
    expect(written).toEqual([`skipped: ${advice}\n`]);
  });

  it('fails where nothing may be skipped', () => {
    vi.stubEnv('REQUIRE_SERVICES', '1');
    expect(() => findService(missing)).toThrow(advice);
  });
});
