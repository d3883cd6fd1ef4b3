import type { Result } from '@mcp-parts/resilient-client';
import { PublicError } from '@mcp-parts/tool-kit';

/**
 * The data of a backend's answer.
 *
 * @throws {PublicError} with the client's code and its words for a model
 */
export function dataOf<T>(result: Result<T>): T {
  if (result.ok) return result.data;
  const { error } = result;
  throw new PublicError(error.code, error.userMessage, { cause: error });
}
