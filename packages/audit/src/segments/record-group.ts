import { encodeRecord, EVENT_KIND, type ChainTip } from '../chain/record.ts';
import { eventPayload, type EncodedEvent } from '../event/encode.ts';
import type { OpenIntent } from './segment-header.ts';

/**
 * The records of one commit, encoded one after the other. Nothing in it counts before it is durable; its last record
 * says how long it is, so that a commit of which the disk kept only a part can be told from damage.
 */
export class RecordGroup {
  readonly #segment: number;
  readonly #startOffset: number;
  readonly #lines: string[] = [];
  #sizeBytes = 0;
  #tip: ChainTip;
  /** Not encoded yet: it may be the last one. */
  #next: { readonly kind: string; readonly payload: (sequence: number) => string } | undefined;
  /** Intents that this group opens and the ids of those it closes. */
  readonly opened: OpenIntent[] = [];
  readonly closed: string[] = [];

  constructor(tip: ChainTip, segment: { readonly number: number; readonly sizeBytes: number }) {
    this.#tip = tip;
    this.#segment = segment.number;
    this.#startOffset = segment.sizeBytes;
  }

  /** Adds an event; it takes the next number of the chain. */
  addEvent(event: EncodedEvent): void {
    this.#encodeNext();
    if (event.intentId === undefined) {
      const offset = this.#startOffset + this.#sizeBytes;
      this.opened.push({ id: event.id, segment: this.#segment, offset });
    } else {
      this.closed.push(event.intentId);
    }
    this.#next = { kind: EVENT_KIND, payload: (sequence) => eventPayload(event, sequence + 1) };
  }

  /** Adds a record of any other kind. */
  add(kind: string, payload: string): void {
    this.#encodeNext();
    this.#next = { kind, payload: () => payload };
  }

  /** Ends the group: its bytes as they are stored, where the chain stands and where the segment ends after it. */
  end(): { readonly bytes: Buffer; readonly tip: ChainTip; readonly endOffset: number } {
    this.#encodeNext(this.#sizeBytes);
    const bytes = Buffer.from(this.#lines.join(''));
    return { bytes, tip: this.#tip, endOffset: this.#startOffset + bytes.length };
  }

  #encodeNext(groupBytes?: number): void {
    if (this.#next === undefined) {
      return;
    }
    const { kind, payload } = this.#next;
    this.#next = undefined;
    const { line, tip } = encodeRecord(this.#tip, kind, payload(this.#tip.sequence), groupBytes);
    this.#lines.push(line);
    this.#sizeBytes += Buffer.byteLength(line);
    this.#tip = tip;
  }
}
