/** Where a person reads. */
export interface Screen {
  readonly write: (text: string) => unknown;
}

// All controls but tab and line end, separators, bidirectional and invisible format characters, lone surrogates.
const UNSAFE =
  /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * Writes what servers, models and files say so that none of it moves, hides or reorders what stands beside it. It is spelt
 * out as JSON would, so that JSON stays what it says.
 */
export function toScreen(stream: Screen): Screen {
  return { write: (text) => stream.write(text.replace(UNSAFE, spelt)) };
}

function spelt(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16).padStart(4, '0');
    return `\\u${unit}`;
  }).join('');
}
