/** LDAPMessage is a SEQUENCE, RFC 4511 §4.1.1. */
const SEQUENCE = 0x30;
/** More than any answer to a question of ours has. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** A tag and the first byte of a length. */
const SHORTEST_HEADER = 2;

/** Cuts what a socket brings into messages (RFC 4511 §5.1: BER with definite lengths). */
export interface MessageFrames {
  /** The messages that are complete with this chunk. @throws {Error} when what comes is no message, or a huge one */
  readonly push: (chunk: Buffer) => readonly Buffer[];
}

/** Starts at the beginning of a message. */
export function createMessageFrames(): MessageFrames {
  let parts: Buffer[] = [];
  let size = 0;
  /** With fewer bytes there is nothing new to say. */
  let needed = SHORTEST_HEADER;

  return {
    push(chunk) {
      parts.push(chunk);
      size += chunk.length;
      const frames: Buffer[] = [];
      while (size >= needed) {
        // Not for each chunk: a long message would be copied as often as it has chunks.
        const bytes = Buffer.concat(parts);
        const header = readHeader(bytes);
        const isWhole = header.isWhole && size >= header.bytes;
        if (isWhole) {
          frames.push(bytes.subarray(0, header.bytes));
        }
        const rest = isWhole ? bytes.subarray(header.bytes) : bytes;
        parts = [rest];
        size = rest.length;
        needed = isWhole ? SHORTEST_HEADER : header.bytes;
      }
      return frames;
    },
  };
}

/** How long the message is, or, unless the header is whole, how long the header is. */
function readHeader(bytes: Buffer): { readonly isWhole: boolean; readonly bytes: number } {
  const [tag, first = 0] = bytes;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  // X.690 §8.1.3.6: 0x80 alone is an indefinite length, which RFC 4511 §5.1 rules out.
  if (tag !== SEQUENCE || first === 0x80 || lengthBytes > 4) {
    throw new Error('what the directory server sends is not LDAP');
  }
  const header = SHORTEST_HEADER + lengthBytes;
  if (bytes.length < header) {
    return { isWhole: false, bytes: header };
  }
  const content = lengthBytes === 0 ? first : bytes.readUIntBE(SHORTEST_HEADER, lengthBytes);
  if (content > MAX_MESSAGE_BYTES) {
    throw new Error(`the directory server sends a message of more than ${MAX_MESSAGE_BYTES} bytes`);
  }
  return { isWhole: true, bytes: header + content };
}
