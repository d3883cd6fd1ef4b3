/**
 * Counts what a text costs a model, in tokens of o200k_base. What looks like a mark of the model itself, such as
 * `<|endoftext|>`, is text like any other: a server cannot write marks.
 */
export async function loadTokenizer(): Promise<(text: string) => number> {
  // It is large, and most commands start without it.
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  const asText = { disallowedSpecial: new Set<string>() };
  return (text) => countTokens(text, asText);
}
