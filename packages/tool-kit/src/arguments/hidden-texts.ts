// A shorter text occurs in others by chance.
const MIN_EMBEDDED_LENGTH = 6;

/** Characters compared for one call; a client that sends look-alikes to cost more gets more withheld instead. */
const MAX_COMPARED = 4_000_000;

/** Texts that must not be written down, and a search for them whose time grows with their length and not their number. */
export class HiddenTexts {
  readonly #texts = new Set<string>();
  /** By the hash of their first characters. */
  readonly #byStart = new Map<number, string[]>();
  #compared = 0;

  add(text: string): void {
    if (this.#texts.has(text)) {
      return;
    }
    this.#texts.add(text);
    if (text.length < MIN_EMBEDDED_LENGTH) {
      return;
    }
    const hash = hashOf(text);
    const alike = this.#byStart.get(hash);
    if (alike === undefined) {
      this.#byStart.set(hash, [text]);
    } else {
      alike.push(text);
    }
  }

  /** Whether the text is one of them, or has one in it that is long enough to be told from chance. */
  isIn(text: string): boolean {
    if (this.#texts.has(text)) {
      return true;
    }
    if (this.#byStart.size === 0 || text.length < MIN_EMBEDDED_LENGTH) {
      return false;
    }
    let hash = hashOf(text);
    for (let at = 0; ; at += 1) {
      for (const hidden of this.#byStart.get(hash) ?? []) {
        this.#compared += hidden.length;
        if (this.#compared > MAX_COMPARED || text.startsWith(hidden, at)) {
          return true;
        }
      }
      const next = at + MIN_EMBEDDED_LENGTH;
      if (next >= text.length) {
        return false;
      }
      // Rabin and Karp: one character leaves the window and one enters.
      const left = Math.imul(text.charCodeAt(at), TOP_WEIGHT);
      hash = (Math.imul(hash - left, BASE) + text.charCodeAt(next)) | 0;
    }
  }
}

const BASE = 16_777_619;
const TOP_WEIGHT = Array.from({ length: MIN_EMBEDDED_LENGTH - 1 }).reduce<number>(
  (weight) => Math.imul(weight, BASE),
  1,
);

/** Of the first characters. */
function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < MIN_EMBEDDED_LENGTH; at += 1) {
    hash = (Math.imul(hash, BASE) + text.charCodeAt(at)) | 0;
  }
  return hash;
}
