import { runCheck } from './check.ts';
import { runExplain } from './explain.ts';
import { runReview } from './review.ts';

/** Where a command writes, and what time it is. */
export interface CliOutput {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** In milliseconds since 1970. */
  readonly now: () => number;
}

/** 0: yes; 1: no (a denial, or findings); 2: the question could not be answered. */
export type ExitCode = 0 | 1 | 2;

const help = `Questions about who may do what, for operators.

Usage:
  mcp-auth check <policy> [--directory <file>]
      Checks a policy, and whether the groups of a directory fit it. Ends with 1 on findings.
  mcp-auth explain --policy <file> --directory <file> --user <issuer#subject> --permission <name> [--scopes <a,b>]
  mcp-auth explain --policy <file> --service <client id> [--issuer <url>] --permission <name> [--scopes <a,b>]
      Says why it is allowed or denied. Ends with 1 when it is denied. Without --scopes, the token is taken to
      have every scope it needs. A directory file that names an LDAP directory needs --password-file <file>.
  mcp-auth review --policy <file> --directory <file>
      Everybody's permissions and the rule behind each, as CSV.

Options:
  --json   Machine-readable output
  --help   This text
`;

/** Runs one command line. Never rejects. */
export async function runCli(argv: readonly string[], output: CliOutput): Promise<ExitCode> {
  const [command, ...rest] = argv;
  if (command === undefined || command === '--help' || rest.includes('--help')) {
    output.write(help);
    return command === undefined ? 2 : 0;
  }
  try {
    switch (command) {
      case 'check':
        return await runCheck(rest, output);
      case 'explain':
        return await runExplain(rest, output);
      case 'review':
        return await runReview(rest, output);
      default:
        throw new TypeError(`unknown command ${command}; try --help`);
    }
  } catch (error) {
    output.writeError(`mcp-auth ${command}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}
