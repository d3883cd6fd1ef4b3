/** Where the trail reports its own troubles; never the record itself. A pino logger fits. */
export interface Logger {
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

/** Discards everything. */
export const silentLogger: Logger = { warn() {}, error() {} };
