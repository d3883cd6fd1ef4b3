const env = process.env;
let token: { value: string; until: number } | undefined;

async function getToken(): Promise<string> {
  if (token === undefined || token.until < Date.now()) {
    const response = await fetch(String(env['TICKETS_TOKEN_URL']), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: String(env['TICKETS_CLIENT_ID']),
        client_secret: String(env['TICKETS_CLIENT_SECRET']),
      }),
    });
    if (!response.ok) {
      throw new Error(`token: ${response.status}`);
    }
    const { access_token: value, expires_in: seconds } = (await response.json()) as {
      access_token: string;
      expires_in: number;
    };
    token = { value, until: Date.now() + seconds * 800 };
  }
  return token.value;
}

export interface Ticket {
  [member: string]: unknown;
  id: string;
  title: string;
  state: 'open' | 'closed';
}

async function request<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${env['TICKETS_URL']}${path}`, {
    method,
    headers: { authorization: `Bearer ${await getToken()}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status}`);
  }
  return (await response.json()) as Answer;
}

const pathOf = (id: string, rest = '') => `/tickets/${encodeURIComponent(id)}${rest}`;

export const backend = {
  list: () => request<{ tickets: Ticket[] }>('GET', '/tickets'),
  get: (id: string) => request<Ticket>('GET', pathOf(id)),
  create: (title: string) => request<Ticket>('POST', '/tickets', { title }),
  comment: (id: string, text: string) => request<{ id: string }>('POST', pathOf(id, '/comments'), { text }),
  close: (id: string) => request<Ticket>('PUT', pathOf(id, '/closed')),
  reopen: (id: string) => request<Ticket>('DELETE', pathOf(id, '/closed')),
};
