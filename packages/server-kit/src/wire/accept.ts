/** Which of the two types of an answer a client takes. */
export interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
}

const everything: Accepted = { json: true, stream: true };
const known = new Map<string, Accepted>([['application/json, text/event-stream', everything]]);
const MAX_KNOWN = 64;

/** Reads an `Accept` header (RFC 9110 §12.5.1); without one, a client takes everything. */
export function readAccept(header: string | undefined): Accepted {
  if (header === undefined || header.trim() === '') {
    return everything;
  }
  const seen = known.get(header);
  if (seen !== undefined) {
    return seen;
  }
  const accepted = {
    json: quality(header, 'application', 'json') > 0,
    stream: quality(header, 'text', 'event-stream') > 0,
  };
  // Clients have a handful of these; a stranger's inventions are not kept.
  if (known.size < MAX_KNOWN && header.length < 256) {
    known.set(header, accepted);
  }
  return accepted;
}

/** The weight of the most specific range that covers the type; 0 when there is none. */
function quality(header: string, type: string, subtype: string): number {
  let best = { specificity: -1, weight: 0 };
  for (const range of header.split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const [rangeType, rangeSubtype] = name.split('/');
    const matches =
      (rangeType === type || rangeType === '*') && (rangeSubtype === subtype || rangeSubtype === '*');
    const specificity = (rangeType === '*' ? 0 : 1) + (rangeSubtype === '*' ? 0 : 1);
    if (matches && specificity > best.specificity) {
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      best = { specificity, weight: weight === undefined ? 1 : Number(weight) || 0 };
    }
  }
  return best.weight;
}
