/** What the engine needs of a logger; pino fits. */
export interface TaskLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: TaskLogger = { debug() {}, info() {}, warn() {}, error() {} };
