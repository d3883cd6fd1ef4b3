import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Ticket {
  readonly id: string;
  readonly title: string;
  state: 'open' | 'closed';
}

/** The tickets service with its token endpoint, on loopback, in a bad mood if it is told to. */
export interface TicketsService extends AsyncDisposable {
  readonly url: string;
  readonly tickets: Map<string, Ticket>;
  /** Every request that came with the right token. */
  readonly requests: string[];
  /** How many of the next requests are answered with 503. */
  failNext: number;
}

const TOKEN = 'a-token-of-this-server';
const JSON_TYPE = { 'content-type': 'application/json' };

/** Starts the service with two open tickets. */
export async function startTicketsService(): Promise<TicketsService> {
  const tickets = new Map<string, Ticket>();
  for (const title of ['The lift is stuck', 'No coffee']) {
    tickets.set(String(tickets.size + 1), { id: String(tickets.size + 1), title, state: 'open' });
  }
  const requests: string[] = [];

  async function answer(request: IncomingMessage): Promise<readonly [status: number, body?: object]> {
    const body = await text(request);
    if (request.url === '/token') {
      // In the header, form-encoded, or in the body (RFC 6749 §2.3.1).
      const [, basic = ''] = request.headers.authorization?.split(' ') ?? [];
      const said = decodeURIComponent(Buffer.from(basic, 'base64').toString());
      const isKnown = `${said}${body}`.includes('a-secret-for-tests');
      return isKnown ? [200, { access_token: TOKEN, token_type: 'Bearer', expires_in: 300 }] : [401];
    }
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      return [401];
    }
    if (service.failNext > 0) {
      service.failNext -= 1;
      return [503];
    }
    const { method = '', url = '' } = request;
    requests.push(`${method} ${url}`);
    const [, , id = '', rest] = url.split('/');
    const ticket = tickets.get(id);
    switch (`${method} ${rest ?? (id === '' ? 'all' : 'one')}`) {
      case 'GET all':
        return [200, { tickets: [...tickets.values()] }];
      case 'POST all': {
        const created: Ticket = { id: String(tickets.size + 1), state: 'open', ...JSON.parse(body) };
        tickets.set(created.id, created);
        return [201, created];
      }
      case 'GET one':
        return ticket === undefined ? [404] : [200, ticket];
      case 'POST comments':
        return ticket === undefined ? [404] : [201, { id: 'c1' }];
      case 'PUT closed':
      case 'DELETE closed':
        if (ticket === undefined) {
          return [404];
        }
        ticket.state = method === 'PUT' ? 'closed' : 'open';
        return [200, ticket];
      default:
        return [405];
    }
  }

  const server: Server = createServer((request, response) => {
    void answer(request).then(([status, body]) =>
      response.writeHead(status, JSON_TYPE).end(body && JSON.stringify(body)),
    );
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const service: TicketsService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tickets,
    requests,
    failNext: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return service;
}
