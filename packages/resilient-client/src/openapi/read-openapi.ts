import { upgradeOpenApi } from './upgrade-openapi.ts';

/**
 * Reads an OpenAPI document of 3.1 or 3.0, validates it, and brings what it refers to in other files into it. What it gives is
 * of 3.1.
 *
 * @throws {Error} naming the file, for what is not valid; and when `@apidevtools/swagger-parser` is not installed.
 */
export async function readOpenApi(path: string): Promise<unknown> {
  const parser = await loadParser();
  try {
    await parser.validate(path);
    return upgradeOpenApi(await parser.bundle(path));
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The parser is an optional peer dependency: a server that only calls endpoints does not need it. */
async function loadParser() {
  try {
    const module = await import('@apidevtools/swagger-parser');
    return module.default;
  } catch (cause) {
    throw new Error('its parser is not installed: npm install -D @apidevtools/swagger-parser', { cause });
  }
}
