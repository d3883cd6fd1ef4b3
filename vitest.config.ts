import { defineConfig } from 'vitest/config';

// Tests import the sources of the workspace's packages, not what was built last.
const conditions = ['@mcp-parts/source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,apps,examples}/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts'],
    // Limits for a busy machine, not expectations: no test asserts how long something takes.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    typecheck: {
      enabled: true,
      include: ['packages/*/{src,test}/**/*.test-d.ts'],
      tsconfig: './tsconfig.json',
      // Type errors outside the type tests are `pnpm typecheck`'s to report.
      ignoreSourceErrors: true,
    },
  },
});
