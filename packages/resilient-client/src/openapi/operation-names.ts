/** What an operation of an OpenAPI document is called. */
export interface OperationNames {
  /** Its operationId; words of its own or of its method and path where that is none, or has other characters than `\w.-`. */
  readonly id: string;
  /** Of the constant that its endpoint is. */
  readonly name: string;
}

/** Names an operation, always in the same way. `method` is in lower case. */
export function operationNames(
  definition: Readonly<Record<string, unknown>>,
  method: string,
  path: string,
): OperationNames {
  const given = definition['operationId'];
  const id = [given, `${method} ${path}`].map(idIn).find((found) => found !== undefined) ?? method;
  const name = id.replaceAll(/[.-]+(\w?)/g, (_, letter: string) => letter.toUpperCase());
  return { id, name: RESERVED.test(name) ? `${name}Operation` : name };
}

/** `undefined` where nothing in the text can begin a name. */
function idIn(text: unknown): string | undefined {
  if (typeof text !== 'string') {
    return undefined;
  }
  const id = text.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[^A-Za-z]+|[.-]+$/g, '');
  return id === '' ? undefined : id;
}

// ECMA-262 §12.7.2 and the strict-mode and module additions.
const RESERVED =
  /^(await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield|eval|arguments)$/;

/** Whether a name cannot be one of a constant. */
export function isReserved(name: string): boolean {
  return RESERVED.test(name);
}
