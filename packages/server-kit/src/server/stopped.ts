/** The reason of an aborted signal when a server ends in order, and of what could not be done any more because of it. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  /** The tool-kit records it as the reason of calls that were aborted with it. */
  readonly code = 'server_stopped';

  constructor() {
    super('the server is stopping');
  }
}

/** Whether something failed only because the server is stopping. */
export function isStopped(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'server_stopped';
}
