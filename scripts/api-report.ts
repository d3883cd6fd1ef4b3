// The public API of a package as text: what each entry point exports, with the types a caller sees.
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

import ts from 'typescript';

const SOURCE_CONDITION = '@mcp-parts/source';

/** What the reports of a package are made from. */
export interface EntryPoint {
  /** As it is imported: `@mcp-parts/audit/testing`. */
  readonly specifier: string;
  readonly source: string;
  /** `index` or `testing`. */
  readonly name: string;
}

/** The entry points of the package in a folder that have types. */
export function entryPointsOf(folder: string): readonly EntryPoint[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    exports?: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
  };
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const source = typeof target === 'object' ? target[SOURCE_CONDITION] : undefined;
    return typeof source === 'string'
      ? [
          {
            specifier: subpath.replace('.', manifest.name),
            source: join(folder, source),
            name: subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-'),
          },
        ]
      : [];
  });
}

/** Makes the reports of several packages; compiling them together takes hardly longer than one. */
export function createReporter(entryPoints: readonly EntryPoint[]): (entryPoint: EntryPoint) => string {
  const program = ts.createProgram(
    entryPoints.map(({ source }) => source),
    compilerOptions(),
  );
  const declarations = createDeclarations(program);
  return (entryPoint) => reportOf(entryPoint, program, declarations);
}

function compilerOptions(): ts.CompilerOptions {
  const file = join(import.meta.dirname, '../tsconfig.base.json');
  const { config } = ts.readConfigFile(file, (path) => readFileSync(path, 'utf8')) as {
    config: { compilerOptions: unknown };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    config.compilerOptions,
    join(import.meta.dirname, '..'),
  );
  return {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    removeComments: true,
    newLine: ts.NewLineKind.LineFeed,
    // Otherwise the members of an inferred union stand in the order in which the compiler met them.
    stableTypeOrdering: true,
  };
}

/** One declaration of a name: its text in the declaration file, and the names of other declarations in it. */
interface Declaration {
  readonly text: string;
  readonly references: readonly ts.Symbol[];
  readonly imports: readonly string[];
}

type Declarations = (symbol: ts.Symbol) => readonly Declaration[];

function reportOf(
  { specifier, source }: EntryPoint,
  program: ts.Program,
  declarations: Declarations,
): string {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(source);
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) {
    throw new Error(`${source} exports nothing`);
  }
  const imports = new Set<string>();
  const exported = new Map<ts.Symbol, readonly string[]>();
  for (const symbol of checker.getExportsOfModule(module)) {
    const target = resolveAlias(symbol, checker);
    exported.set(target, [...(exported.get(target) ?? []), symbol.name]);
  }

  const publicParts: string[] = [];
  const hiddenParts: string[] = [];
  const seen = new Set(exported.keys());
  for (const symbol of seen) {
    const names = exported.get(symbol) ?? [];
    const found = declarations(symbol);
    for (const { text, references, imports: external } of found) {
      references.forEach((reference) => seen.add(reference));
      external.forEach((line) => imports.add(line));
      if (names.includes(symbol.name)) {
        publicParts.push(`export ${text}`);
      } else {
        hiddenParts.push(text);
      }
    }
    // Under another name, or from another package.
    for (const name of names.filter((exportedName) => exportedName !== symbol.name || found.length === 0)) {
      publicParts.push(`export { ${symbol.name === name ? name : `${symbol.name} as ${name}`} };`);
    }
  }
  const sections = [
    [...imports].toSorted().join('\n'),
    publicParts.toSorted(byName).join('\n\n'),
    ...(hiddenParts.length > 0
      ? ['// Not exported, but part of the types above:', hiddenParts.toSorted(byName).join('\n\n')]
      : []),
  ];
  const code = sections.filter((section) => section !== '').join('\n\n');
  return `# API of \`${specifier}\`\n\nWritten by \`pnpm api\`.\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
}

/** By the declared name, whatever it declares. */
function byName(left: string, right: string): number {
  const nameOf = (text: string): string =>
    text.replace(/^(?:export |abstract |const |function |interface |type |class |let )*/u, '').toLowerCase();
  const [first, second] = [nameOf(left), nameOf(right)];
  return first < second || (first === second && left < right) ? -1 : 1;
}

function resolveAlias(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/** Finds the declarations of symbols in the files of this workspace; those of others have none. */
function createDeclarations(program: ts.Program): Declarations {
  const checker = program.getTypeChecker();
  const emitted = new Map<ts.SourceFile, ts.SourceFile>();

  const declarationFile = (source: ts.SourceFile): ts.SourceFile => {
    const known = emitted.get(source);
    if (known !== undefined) {
      return known;
    }
    let text = '';
    program.emit(source, (_, written) => (text = written), undefined, true);
    const file = ts.createSourceFile(source.fileName, text, ts.ScriptTarget.Latest, true);
    emitted.set(source, file);
    return file;
  };

  return (symbol) => {
    const sources = new Set(symbol.declarations?.map((declaration) => declaration.getSourceFile()));
    return [...sources].filter(isOfThisWorkspace).flatMap((source) =>
      declarationFile(source)
        .statements.filter((statement) => declaredNames(statement).includes(symbol.name))
        .map((statement) => ({
          text: statement.getText().replace(/^(?:export |default |declare )*/u, ''),
          ...references(statement, source),
        })),
    );
  };

  /** The names that a statement uses, as the file that it was made from understands them. */
  function references(statement: ts.Statement, source: ts.SourceFile): Omit<Declaration, 'text'> {
    const found = new Set<ts.Symbol>();
    const imports = new Set<string>();
    const visit = (node: ts.Node): void => {
      const name = usedName(node);
      const symbol = name && checker.resolveName(name, source, ANY_NAME, false);
      if (symbol) {
        const outside = importOf(symbol);
        const target = resolveAlias(symbol, checker);
        if (outside !== undefined) {
          imports.add(outside);
        } else if (
          target.declarations?.some((declaration) => !declaration.getSourceFile().isDeclarationFile)
        ) {
          found.add(target);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(statement);
    return { references: [...found], imports: [...imports] };
  }
}

// A sum of flags is no member of the enum to the linter.
const ANY_NAME = (ts.SymbolFlags.Type |
  ts.SymbolFlags.Value |
  ts.SymbolFlags.Namespace |
  ts.SymbolFlags.Alias) as ts.SymbolFlags;

function isOfThisWorkspace(file: ts.SourceFile): boolean {
  return !file.isDeclarationFile && !relative('', file.fileName).split(sep).includes('node_modules');
}

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const isNamed =
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isModuleDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}

/** The first part of a name that a type refers to: `z` of `z.ZodObject`. */
function usedName(node: ts.Node): string | undefined {
  let name: ts.Node | undefined;
  if (ts.isTypeReferenceNode(node)) {
    name = node.typeName;
  } else if (ts.isTypeQueryNode(node)) {
    name = node.exprName;
  } else if (ts.isExpressionWithTypeArguments(node)) {
    name = node.expression;
  }
  while (name !== undefined && (ts.isQualifiedName(name) || ts.isPropertyAccessExpression(name))) {
    name = ts.isQualifiedName(name) ? name.left : name.expression;
  }
  return name !== undefined && ts.isIdentifier(name) ? name.text : undefined;
}

/** The statement that imports a name from outside its package, if that is where it comes from. */
function importOf(symbol: ts.Symbol): string | undefined {
  const declaration = symbol.declarations?.[0];
  const statement = declaration && ts.findAncestor(declaration, ts.isImportDeclaration);
  if (statement === undefined || !ts.isStringLiteral(statement.moduleSpecifier)) {
    return undefined;
  }
  const from = statement.moduleSpecifier.text;
  if (from.startsWith('.')) {
    return undefined;
  }
  const imported =
    declaration && ts.isNamespaceImport(declaration) ? `* as ${symbol.name}` : `{ ${symbol.name} }`;
  return `import type ${imported} from '${from}';`;
}
