const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Whether arrays and objects lie in each other deeper than `maxDepth`, told from the text before anything parses it. */
export function isDeeperThan(json: string, maxDepth: number): boolean {
  if (json.length <= maxDepth) {
    return false;
  }
  let depth = 0;
  let isString = false;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (isString) {
      if (code === BACKSLASH) {
        at += 1;
      } else if (code === QUOTE) {
        isString = false;
      }
    } else if (code === QUOTE) {
      isString = true;
    } else if (OPENING.has(code)) {
      depth += 1;
      if (depth > maxDepth) {
        return true;
      }
    } else if (CLOSING.has(code)) {
      depth -= 1;
    }
  }
  return false;
}
