import { encodeRecord, EVENT_KIND, type ChainTip } from '../chain/record.ts';
import { eventPayload, type EncodedEvent } from '../event/encode.ts';
import type { OpenIntent } from './segment-header.ts';

/** The records of one commit, encoded one after the other. Nothing in it counts before it is durable. */
export class RecordGroup {
  readonly #segment: number;
  readonly #startOffset: number;
  readonly #lines: string[] = [];
  #sizeBytes = 0;
  #tip: ChainTip;
  /** Intents that this group opens and the ids of those it closes. */
  readonly opened: OpenIntent[] = [];
  readonly closed: string[] = [];

  constructor(tip: ChainTip, segment: { readonly number: number; readonly sizeBytes: number }) {
    this.#tip = tip;
    this.#segment = segment.number;
    this.#startOffset = segment.sizeBytes;
  }

  /** Where the chain stands after the group. */
  get tip(): ChainTip {
    return this.#tip;
  }

  /** Where the segment ends after the group. */
  get endOffset(): number {
    return this.#startOffset + this.#sizeBytes;
  }

  /** The records as they are stored. */
  get bytes(): Buffer {
    return Buffer.from(this.#lines.join(''));
  }

  /** Adds an event; it takes the next number of the chain. */
  addEvent(event: EncodedEvent): void {
    if (event.intentId === undefined) {
      this.opened.push({ id: event.id, segment: this.#segment, offset: this.endOffset });
    } else {
      this.closed.push(event.intentId);
    }
    this.add(EVENT_KIND, eventPayload(event, this.#tip.sequence + 1));
  }

  /** Adds a record of any kind. */
  add(kind: string, payload: string): void {
    const { line, tip } = encodeRecord(this.#tip, kind, payload);
    this.#lines.push(line);
    this.#sizeBytes += Buffer.byteLength(line);
    this.#tip = tip;
  }
}
