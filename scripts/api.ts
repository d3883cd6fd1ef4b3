// The public API of the published packages, pinned in packages/*/api:
//
//   node scripts/api.ts             writes the reports, whose changes are reviewed
//   node scripts/api.ts --released  notes that the APIs as they are now have been released
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diff } from 'node:util';

import { createReporter, entryPointsOf } from './api-report.ts';

/** The reports of a package: by file name, as they are on disk or as they should be. */
export type Reports = Readonly<Record<string, string>>;

export interface PackageApi {
  readonly name: string;
  readonly folder: string;
  /** From the sources as they are. */
  readonly current: Reports;
}

/** The APIs of the published packages of a workspace, from their sources. */
export function readApis(root: string): readonly PackageApi[] {
  const packages = readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .flatMap((folder) => {
      const { name, private: isPrivate } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name: string;
        private?: boolean;
      };
      return isPrivate === true ? [] : [{ name, folder, entryPoints: entryPointsOf(folder) }];
    });
  const report = createReporter(packages.flatMap(({ entryPoints }) => entryPoints));
  return packages.map(({ name, folder, entryPoints }) => ({
    name,
    folder,
    current: Object.fromEntries(
      entryPoints.map((entryPoint) => [`${entryPoint.name}.md`, report(entryPoint)]),
    ),
  }));
}

/** What is wrong when the API is not the one in the reports that are checked in. */
export function checkReports({ name, folder, current }: PackageApi): string | undefined {
  const pinned = pinnedReports(folder);
  const changes = [...new Set([...Object.keys(pinned), ...Object.keys(current)])]
    .toSorted()
    .map((file) => changesOf(file, pinned[file] ?? '', current[file] ?? ''))
    .filter((text) => text !== '');
  return changes.length === 0
    ? undefined
    : `The public API of ${name} changed. Run \`pnpm api\`, review the diff, and add a changeset.\n\n${changes.join('\n\n')}`;
}

/**
 * What is wrong when the reports differ from those of the last release and no changeset says so.
 *
 * The last release is known by a digest that `--released` leaves beside the reports, not by git: a shallow clone has no
 * tags, and this holds in each.
 */
export function checkChangeset({ name, folder }: PackageApi, root: string): string | undefined {
  return digestOf(pinnedReports(folder)) === releasedDigest(folder) || hasChangeset(name, root)
    ? undefined
    : `The public API of ${name} is not the one that was released last. Add a changeset that names ${name}.`;
}

export function writeReports({ folder, current }: PackageApi): void {
  mkdirSync(join(folder, 'api'), { recursive: true });
  for (const stale of Object.keys(pinnedReports(folder)).filter((file) => !(file in current))) {
    rmSync(join(folder, 'api', stale));
  }
  for (const [file, text] of Object.entries(current)) {
    writeFileSync(join(folder, 'api', file), text);
  }
}

/** Notes that the reports on disk describe what is released now. */
export function noteReleased(folder: string): void {
  writeFileSync(releasedFile(folder), `${digestOf(pinnedReports(folder))}\n`);
}

function pinnedReports(folder: string): Reports {
  const reports = join(folder, 'api');
  return Object.fromEntries(
    (existsSync(reports) ? readdirSync(reports) : [])
      .filter((file) => file.endsWith('.md'))
      .toSorted()
      // A checkout may have changed the ends of the lines.
      .map((file) => [file, readFileSync(join(reports, file), 'utf8').replaceAll('\r\n', '\n')]),
  );
}

function releasedFile(folder: string): string {
  return join(folder, 'api', 'released.sha256');
}

function releasedDigest(folder: string): string | undefined {
  const file = releasedFile(folder);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

function digestOf(reports: Reports): string {
  return createHash('sha256').update(JSON.stringify(reports)).digest('hex');
}

function hasChangeset(name: string, root: string): boolean {
  const folder = join(root, '.changeset');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .some((file) => {
      const [, frontMatter] = readFileSync(join(folder, file), 'utf8').split(/^---\r?$/mu);
      return frontMatter?.split(/\r?\n/u).some((line) => /^['"]?([^'":]+)['"]?:/u.exec(line)?.[1] === name);
    });
}

/** The lines that are different, with those around them, as `diff` shows them. */
function changesOf(file: string, before: string, after: string): string {
  if (before === after) {
    return '';
  }
  const lines = diff(before.split('\n'), after.split('\n')).map(([operation, line]) => ({
    isChange: operation !== 0,
    // What only the first text has is 1, what only the second has is -1.
    text: `${operation === 0 ? ' ' : operation > 0 ? '-' : '+'} ${line}`,
  }));
  const isShown = lines.map((_, index) =>
    lines
      .slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some(({ isChange }) => isChange),
  );
  const shown = lines.flatMap(({ text }, index) =>
    isShown[index] === true ? [text] : isShown[index + 1] === true ? ['  …'] : [],
  );
  return [`api/${file}`, ...shown].join('\n');
}

const CONTEXT_LINES = 2;

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const apis = readApis(dirname(import.meta.dirname));
  apis.forEach(writeReports);
  if (process.argv.includes('--released')) {
    apis.forEach(({ folder }) => noteReleased(folder));
  }
}
