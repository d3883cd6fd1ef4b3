import { z } from 'zod';

import type { StartServer } from '../serve.ts';
import { dummies, echo, record, recordOf } from '../tools.ts';
import { listen } from './listen.ts';

/** Reads the body, looks for a word in it and answers one of three fixed texts. */
export const start: StartServer = () => {
  const answer = (result: object) => Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result }));
  const text = (value: string) => [{ type: 'text', text: value }];
  const structuredContent = recordOf('r-1');
  const answers = {
    list: answer({
      tools: [echo, record, ...dummies].map(({ name, title, description, input }) => ({
        name,
        title,
        description,
        inputSchema: z.toJSONSchema(input),
      })),
    }),
    record: answer({ content: text(JSON.stringify(structuredContent)), structuredContent }),
    echo: answer({ content: text('hello') }),
  };
  return listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const asked = Buffer.concat(chunks);
      const body = asked.includes('"tools/list"')
        ? answers.list
        : asked.includes(record.name)
          ? answers.record
          : answers.echo;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    });
  });
};
