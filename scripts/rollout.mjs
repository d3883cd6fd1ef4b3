/** `pnpm chaos:rollout`: stops a hundred replicas behind nginx under load, or as many as it is told. */
import { spawnSync } from 'node:child_process';

const [stops = '100'] = process.argv.slice(2);
const { status } = spawnSync('vitest', ['run', 'apps/http-server/test/rollout.test.ts'], {
  env: { ...process.env, ROLLOUT_STOPS: stops },
  stdio: 'inherit',
  shell: true,
});
process.exitCode = status ?? 1;
