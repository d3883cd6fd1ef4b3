import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { UsageError, type CliContext, type Command } from '../cli/command.ts';
import { askModel, type Message, type Model } from '../eval/model.ts';
import { judge, parseQuestions, type MadeCall, type Question } from '../eval/questions.ts';
import { listOffered, type ListedTool, type Offered } from '../server/offered.ts';
import { openServer, type OpenServer } from '../server/open-server.ts';
import { parseServerArgs, requireTarget, serverOptions } from '../server/server-options.ts';

const MAX_TURNS = 12;

const options = {
  'model-url': { type: 'string', value: '<url>', description: 'Where chat completions are asked for.' },
  model: { type: 'string', value: '<name>', description: 'The model.' },
  'key-file': { type: 'string', value: '<path>', description: 'A file with the key of the endpoint.' },
  'run-writes': {
    type: 'boolean',
    description:
      'Also runs tools that change something; without it, the model is told that they were not run.',
  },
} as const;

/** `mcp-tools eval`: whether a model finds the right tools. */
export const evalCommand: Command = {
  summary:
    'Asks a model the questions of a file (YAML or JSON), and compares the calls that it makes with the expected ones.',
  operands: '<questions>',
  options: { ...options, ...serverOptions },
  found: 'a model made other calls than expected, or the command failed',
  async run(args, context) {
    const { values, positionals, target } = parseServerArgs(args, options);
    const {
      'model-url': url,
      model: name,
      'key-file': keyFile,
    } = values as Readonly<Record<'model-url' | 'model' | 'key-file', string | undefined>>;
    const [file] = positionals;
    if (file === undefined || url === undefined || name === undefined) {
      throw new UsageError('Name the file of questions, --model-url and --model');
    }
    if (!/^https?:$/u.test(URL.parse(url)?.protocol ?? '')) {
      throw new UsageError(`--model-url must be an http(s) URL, got ${url}`);
    }
    if (keyFile !== undefined && !isPrivate(new URL(url))) {
      throw new UsageError(
        '--key-file needs an https --model-url: over http, anybody on the way reads the key',
      );
    }
    const path = (text: string) => resolve(context.directory, text);
    const key = keyFile === undefined ? undefined : (await readFile(path(keyFile), 'utf8')).trim();
    const questions = parseQuestions(await readFile(path(file), 'utf8'));
    await using server = await openServer(requireTarget(target), context.version);
    const offered = await listOffered(server.client);
    const asking: Asking = {
      model: { url, name, key },
      server,
      offered,
      runsWrites: values['run-writes'] === true,
      signal: context.signal,
    };
    let failed = 0;
    for (const question of questions) {
      const problems = judge(question, await callsFor(question, asking));
      failed += problems.length > 0 ? 1 : 0;
      report(question, problems, context);
    }
    context.stdout.write(`${questions.length - failed} of ${questions.length} as expected\n`);
    return failed === 0 ? 0 : 1;
  },
};

/** Whether nobody on the way can read what is sent: by TLS, or because there is no way. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/u.test(hostname);
}

interface Asking {
  readonly model: Model;
  readonly server: OpenServer;
  readonly offered: Offered;
  readonly runsWrites: boolean;
  readonly signal: AbortSignal;
}

/** The calls that a model makes for one question, until it has nothing more to call. */
async function callsFor({ ask }: Question, asking: Asking): Promise<readonly MadeCall[]> {
  const { model, offered, signal } = asking;
  const made: MadeCall[] = [];
  const messages: Message[] = [
    ...(offered.instructions === undefined ? [] : [{ role: 'system', content: offered.instructions }]),
    { role: 'user', content: ask },
  ];
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const { message, calls } = await askModel(model, messages, offered.tools.map(asFunction), signal);
    if (calls.length === 0) {
      break;
    }
    messages.push(message);
    for (const call of calls) {
      made.push({ tool: call.name, arguments: call.arguments });
      messages.push({ role: 'tool', tool_call_id: call.id, content: await run(call, asking) });
    }
  }
  return made;
}

async function run(
  { name, arguments: sent }: { readonly name: string; readonly arguments: unknown },
  { server, offered, runsWrites, signal }: Asking,
): Promise<string> {
  const tool = offered.tools.find((one) => one.name === name);
  if (tool !== undefined && tool.annotations?.['readOnlyHint'] !== true && !runsWrites) {
    return 'This is a rehearsal: it was not run. Go on as if it had worked.';
  }
  try {
    const result = await server.client.callTool(
      { name, arguments: sent as Record<string, unknown> },
      { signal },
    );
    return result.content
      .map((block) => (block.type === 'text' ? block.text : JSON.stringify(block)))
      .join('\n');
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

function asFunction({ name, description, inputSchema }: ListedTool): Message {
  return { type: 'function', function: { name, description, parameters: inputSchema } };
}

function report({ ask }: Question, problems: readonly string[], { stdout }: CliContext): void {
  stdout.write(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${ask}\n`);
  for (const problem of problems) {
    stdout.write(`     ${problem}\n`);
  }
}
