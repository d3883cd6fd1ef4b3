/** A server as a person wants it in a client, before any client's own format. */
export interface ServerEntry {
  /** Of the server in the client's configuration. */
  readonly name: string;
  readonly server:
    | {
        readonly kind: 'stdio';
        readonly command: string;
        readonly args: readonly string[];
        readonly env: Readonly<Record<string, string>>;
        /** Variables of the person's own environment that it needs: secrets are never written down. */
        readonly envFrom: readonly string[];
      }
    | {
        readonly kind: 'http';
        readonly url: string;
        /** The variable that holds a bearer token. @default the client signs in by itself, or none is needed */
        readonly tokenFrom: string | undefined;
      };
}

/** Where a file is. */
export interface Places {
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** Of the project. */
  readonly directory: string;
}

/** One client: where its configuration is, and how it says an entry. */
export interface ClientFormat {
  /** As people call it. */
  readonly title: string;
  /** The configuration of a person; of a project, where there is one. */
  readonly paths: {
    readonly user: (places: Places) => string;
    readonly project?: ((places: Places) => string) | undefined;
  };
  readonly syntax: 'json' | 'toml';
  /** What to write, by the path of its key. @throws {UsageError} for what this client has no way to say */
  readonly additions: (entry: ServerEntry) => readonly Addition[];
  /** What is left for the person to do. */
  readonly next: (entry: ServerEntry) => string;
}

/** A value at a place of a document. */
export interface Addition {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Added to the list there, unless it has one of the same `id`. */
  readonly isItem?: boolean | undefined;
}
