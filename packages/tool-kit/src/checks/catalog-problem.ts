/** Which check found it. */
export type CatalogProblemCode =
  | 'name_form'
  | 'name_long'
  | 'names_alike'
  | 'description_long'
  | 'argument_undescribed'
  | 'constraint_unsaid'
  | 'annotations_contradict'
  | 'title_missing'
  | 'schema_construct'
  | 'tool_costly'
  | 'list_costly'
  | 'too_many_tools'
  | 'instructions_long';

/** Something that clients in use handle badly, in words for the author. The server works. */
export interface CatalogProblem {
  readonly code: CatalogProblemCode;
  /** `error`: some client drops the tool, or refuses all of them. `warning`: some model is told less, or pays more. */
  readonly level: 'error' | 'warning';
  readonly kind: 'tool' | 'resource' | 'prompt' | 'catalog';
  /** Of the definition; empty for the catalog. */
  readonly name: string;
  /** Where in the list entry, as a JSON Pointer (RFC 6901). @default the definition as a whole */
  readonly at?: string | undefined;
  /** What is wrong, and what to do about it. */
  readonly message: string;
  /** Clients that are known to stumble over it. */
  readonly clients: readonly string[];
}

/** A check of one list entry, or of all of them. */
export type Found = Omit<CatalogProblem, 'kind' | 'name'>;
