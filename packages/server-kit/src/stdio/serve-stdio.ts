import type { Server } from '../assemble.ts';
import { openStdio, type StdioCaller } from './open-stdio.ts';
import type { StdioLimits } from './stdio-options.ts';

/** How a server is served over standard input and output. */
export interface ServeStdioOptions extends StdioLimits {
  readonly caller: StdioCaller;
}

/**
 * Serves one client over standard input and output until the connection ends, as `openStdio` does, with a server that is
 * open already; then closes the server.
 *
 * @throws {RangeError} naming the option that is out of its range.
 */
export async function serveStdio(server: Server, { caller, ...limits }: ServeStdioOptions): Promise<void> {
  const { serverInfo, instructions, table, logger, terminationGraceMs } = server;
  const { capabilities } = table;
  await using connection = openStdio({
    ...limits,
    serverInfo,
    instructions,
    capabilities,
    logger,
    terminationGraceMs,
  });
  await connection.serve(server, { caller });
}
