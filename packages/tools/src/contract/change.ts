/** One difference between two contracts. */
export interface Change {
  /**
   * `breaking`: a client, a prompt or a policy written for the old contract may fail. `compatible`: it goes on. `wording`:
   * a model may act otherwise.
   */
  readonly level: 'breaking' | 'compatible' | 'wording';
  /** Such as `tool find_service: input.name`. */
  readonly where: string;
  readonly what: string;
}
