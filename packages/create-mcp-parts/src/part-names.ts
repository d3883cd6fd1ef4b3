import { UsageError } from './project-options.ts';

/** One name, as each place writes it. */
export interface PartNames {
  readonly file: string;
  readonly snake: string;
  readonly camel: string;
  readonly pascal: string;
  readonly constant: string;
  readonly title: string;
}

const MAX_LENGTH = 40;
/** Words that cannot be the name of a variable. */
const RESERVED =
  /^(?:await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|import|in|instanceof|let|new|null|package|private|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/u;

/**
 * The name of a part, given as `assign_ticket`, `assign-ticket` or `assignTicket`.
 *
 * @throws {UsageError} when clients would not show it, or it is no name of a variable.
 */
export function namesOf(name: string): PartNames {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/gu, '$1_$2')
    .toLowerCase()
    .split(/[_-]/u);
  const isName = /^[a-z]/u.test(name) && words.every((word) => /^[a-z0-9]+$/u.test(word));
  const camel = words.map((word, index) => (index === 0 ? word : capital(word))).join('');
  if (!isName || name.length > MAX_LENGTH || RESERVED.test(camel)) {
    throw new UsageError(
      `The name must be like assign_ticket, in at most ${MAX_LENGTH} characters; got ${name}`,
    );
  }
  const snake = words.join('_');
  return {
    file: words.join('-'),
    snake,
    camel,
    pascal: capital(camel),
    constant: snake.toUpperCase(),
    title: capital(words.join(' ')),
  };
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
