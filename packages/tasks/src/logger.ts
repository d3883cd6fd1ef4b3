/** What the engine needs of a logger; pino fits. */
export interface TaskLogger {
  readonly debug: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

/** Logs nothing. */
export const silentLogger: TaskLogger = { debug() {}, info() {}, warn() {}, error() {} };
