// Without escapes, so that C:\new stays one line: double quotes come last, because Node expands \n in them.
const QUOTES = ["'", '`', '"'];

/** Settings as a file for `node --env-file`, whose parser takes no escapes. */
export function environmentFile(settings) {
  return Object.entries(settings)
    .map(([name, value]) => {
      const quote = QUOTES.find((candidate) => !value.includes(candidate));
      if (quote === undefined) {
        throw new Error(`${name} has all three kinds of quotes`);
      }
      return `${name}=${quote}${value}${quote}\n`;
    })
    .join('');
}
