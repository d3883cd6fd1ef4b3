/**
 * `pnpm manifests`: renders the chart with the values of the deployment server to `deploy/kubernetes`, for whoever applies
 * plain manifests. With `--check` it only says whether they are up to date.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { findHelm } from './helm.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = `${root}deploy/kubernetes/mcp-deployments.yaml`;

const HEAD = `# Rendered from deploy/chart with deploy/mcp-deployments.values.yaml by \`pnpm manifests\`. Replace every address under
# example.com, create the secret that deploy/mcp-deployments.values.yaml names, then
#   kubectl apply --namespace mcp-deployments --filename deploy/kubernetes/mcp-deployments.yaml
apiVersion: v1
kind: Namespace
metadata:
  name: mcp-deployments
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** The manifests as they should be. */
export function renderManifests() {
  const args = [
    'template',
    'mcp-deployments',
    'deploy/chart',
    '--namespace=mcp-deployments',
    '--values=deploy/mcp-deployments.values.yaml',
    '--set-file=policy.files.policy\\.yaml=deploy/kubernetes/policy/policy.yaml',
    '--set-file=policy.files.directory\\.yaml=deploy/kubernetes/policy/directory.yaml',
    '--kube-version=1.34.0',
    '--no-hooks',
  ];
  const { status, stdout, stderr } = spawnSync(findHelm(), args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(stderr);
  }
  return `${HEAD}${stdout.replaceAll('managed-by: Helm', 'managed-by: kubectl')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rendered = renderManifests();
  if (!process.argv.includes('--check')) {
    writeFileSync(file, rendered);
  } else if (readFileSync(file, 'utf8') !== rendered) {
    process.stderr.write('deploy/kubernetes is not what the chart renders: pnpm manifests\n');
    process.exitCode = 1;
  }
}
