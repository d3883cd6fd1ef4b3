// Checks who imports whom: each row of the table in CONTRIBUTING.md, "Who may import whom".
//
//   node scripts/boundaries.ts [folder of a workspace]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { parse } from 'yaml';

/** What a package may import of the workspace: packages of these kinds, or these packages. */
interface Row {
  readonly sources: readonly string[];
  /** What its tests may import besides. */
  readonly tests: readonly string[];
  readonly rule: string;
}

/** The table, by the tag in the `turbo.json` of a package. */
const TABLE: Readonly<Record<string, Row>> = {
  leaf: {
    sources: [],
    tests: ['test-support', 'test-service'],
    rule: 'a leaf imports no package of this workspace',
  },
  kit: {
    sources: [],
    tests: ['test-support'],
    rule: 'the kit imports no package of this workspace',
  },
  domain: {
    sources: ['kit', '@mcp-parts/resilient-client'],
    tests: ['test-support'],
    rule: 'a domain imports the kit and @mcp-parts/resilient-client',
  },
  assembly: {
    sources: ['leaf', 'kit'],
    tests: ['test-support'],
    rule: 'the assembly imports leaves and the kit',
  },
  adapter: {
    sources: ['leaf', 'kit'],
    tests: ['test-support', 'test-service'],
    rule: 'an adapter imports leaves and the kit',
  },
  tools: {
    sources: ['kit', '@mcp-parts/resilient-client'],
    tests: ['test-support'],
    rule: 'the command line imports the kit and @mcp-parts/resilient-client',
  },
  app: {
    sources: ['leaf', 'kit', 'adapter', 'domain', 'assembly'],
    tests: ['test-support', 'test-service'],
    rule: 'an app imports leaves, the kit, adapters, domains and the assembly, and no other app',
  },
  'test-support': {
    sources: ['leaf', 'kit', 'adapter', 'domain', 'assembly', 'test-support', 'test-service'],
    tests: [],
    rule: 'test support imports everything but apps',
  },
  'test-service': {
    sources: [],
    tests: [],
    rule: 'a test service imports nothing',
  },
};

const RULES = {
  tests: 'only tests import test support',
  path: 'a package is imported by its name, not by a path',
  sdk: 'the kit imports an MCP SDK only in the file that binds it',
  npm: 'the kit imports zod and the MCP SDKs',
} as const;

/** The kit's npm packages that it imports anywhere, and those that it imports in one file. */
const KIT_ANYWHERE = ['zod'];
const KIT_BINDINGS: Readonly<Record<string, string>> = {
  '@modelcontextprotocol/sdk': 'src/sdk-2025.ts',
  '@modelcontextprotocol/server': 'src/sdk-2026.ts',
};

export interface Violation {
  /** From the root of the workspace, with forward slashes. */
  readonly file: string;
  readonly line: number;
  readonly imported: string;
  readonly rule: string;
}

interface Package {
  readonly name: string;
  readonly folder: string;
  readonly kind: string;
}

/**
 * Every import in a workspace that its table forbids.
 *
 * @throws {Error} when a package does not say its kind.
 */
export function findViolations(root: string): readonly Violation[] {
  const packages = readPackages(root);
  return packages.flatMap((importer) =>
    sourceFiles(join(root, importer.folder)).flatMap((path) => {
      const file = `${importer.folder}/${path}`;
      return importsOf(join(root, file)).flatMap(({ imported, line }) => {
        const rule = brokenRule(importer, path, imported, packages);
        return rule === undefined ? [] : [{ file, line, imported, rule }];
      });
    }),
  );
}

/** The rule that an import breaks, if it does. `path` is the importing file, from the folder of its package. */
function brokenRule(
  importer: Package,
  path: string,
  imported: string,
  packages: readonly Package[],
): string | undefined {
  if (imported.startsWith('.')) {
    const target = relative(importer.folder, join(dirname(join(importer.folder, path)), imported));
    return target.split(sep)[0] === '..' ? RULES.path : undefined;
  }
  const target = packages.find(({ name }) => isOf(name, imported));
  const isTest = /\.test(?:-d)?\.[cm]?tsx?$/u.test(path) || /(?:^|\/)test\//u.test(path);
  if (target === undefined) {
    return brokenNpmRule(importer, path, imported, isTest);
  }
  if (target === importer) {
    return undefined;
  }
  const isSupport = importer.kind === 'test-support';
  const { sources, tests, rule } = rowOf(importer);
  const mayImport = (allowed: readonly string[]): boolean =>
    allowed.includes(target.kind) || allowed.includes(target.name);
  if (!isTest && !isSupport && (mayImport(tests) || imported === `${target.name}/testing`)) {
    return RULES.tests;
  }
  return mayImport(sources) || (isTest && mayImport(tests)) ? undefined : rule;
}

function brokenNpmRule(
  importer: Package,
  path: string,
  imported: string,
  isTest: boolean,
): string | undefined {
  if (isTest || imported.startsWith('node:')) {
    return undefined;
  }
  if (importer.kind === 'test-service') {
    return rowOf(importer).rule;
  }
  if (importer.kind !== 'kit' || KIT_ANYWHERE.some((name) => isOf(name, imported))) {
    return undefined;
  }
  const binding = Object.entries(KIT_BINDINGS).find(([name]) => isOf(name, imported))?.[1];
  if (binding === undefined) {
    return RULES.npm;
  }
  return path === binding ? undefined : RULES.sdk;
}

/** Whether a specifier leads into a package: `@mcp-parts/audit/testing` is of `@mcp-parts/audit`. */
function isOf(name: string, specifier: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

function rowOf({ folder, kind }: Package): Row {
  const row = TABLE[kind];
  if (row === undefined) {
    throw new Error(`${folder}/turbo.json must have one of the tags ${Object.keys(TABLE).join(', ')}`);
  }
  return row;
}

function readPackages(root: string): readonly Package[] {
  const { packages: patterns } = parse(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')) as {
    packages: readonly string[];
  };
  const folders = patterns.flatMap((pattern) => {
    const parent = pattern.replace(/\/\*$/u, '');
    return parent === pattern
      ? [pattern]
      : readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
  });
  return folders
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => {
      const found = {
        folder,
        name: (readJson(join(root, folder, 'package.json')) as { name: string }).name,
        kind: (readJson(join(root, folder, 'turbo.json')) as { tags?: readonly string[] }).tags?.[0] ?? '',
      };
      rowOf(found);
      return found;
    });
}

function readJson(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** The files with code below a folder, with forward slashes. */
function sourceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      if (entry.isDirectory()) {
        const isOurs = !['dist', 'node_modules'].includes(entry.name) && !entry.name.startsWith('.');
        return isOurs ? sourceFiles(join(folder, entry.name)).map((name) => `${entry.name}/${name}`) : [];
      }
      return /\.[cm]?[jt]sx?$/u.test(entry.name) ? [entry.name] : [];
    })
    .toSorted();
}

/** What a file imports by any means: statements, types, `import()`, `require`. */
function importsOf(file: string): readonly { imported: string; line: number }[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: { imported: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      const { line } = source.getLineAndCharacterOfPosition(specifier.getStart(source));
      found.push({ imported: specifier.text, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier;
  }
  if (ts.isExternalModuleReference(node)) {
    return node.expression;
  }
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  }
  if (ts.isCallExpression(node)) {
    const isImport =
      node.expression.kind === ts.SyntaxKind.ImportKeyword ||
      /^(?:require(?:\.resolve)?|import\.meta\.resolve)$/u.test(node.expression.getText());
    return isImport ? node.arguments[0] : undefined;
  }
  return undefined;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const violations = findViolations(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  for (const { file, line, imported, rule } of violations) {
    process.stderr.write(`${file}:${line} imports ${imported}: ${rule}\n`);
  }
  process.exitCode = violations.length > 0 ? 1 : 0;
}
