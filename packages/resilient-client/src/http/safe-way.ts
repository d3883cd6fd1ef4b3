import { globalAgent } from 'node:http';

/** The environment variables that name proxies, as Node.js read them. */
type ProxyEnvironment = Readonly<Partial<Record<string, string>>>;

/**
 * Whether Node.js was told to take proxies from the environment (`NODE_USE_ENV_PROXY`, `--use-env-proxy`), as its own
 * `fetch` and `http` then do. Its agent tells, so that nothing here reads the environment.
 */
export function environmentProxy(): ProxyEnvironment | undefined {
  // The types do not have what the agent was made with.
  const { options } = globalAgent as { readonly options?: { readonly proxyEnv?: ProxyEnvironment } };
  return options?.proxyEnv;
}

/** Whether nobody on the way can read what is sent there: https, or http that does not leave this machine (RFC 6750 §5.3). */
function isSafeForCredentials(url: string | URL): boolean {
  const { protocol, hostname } = new URL(url);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  return protocol === 'https:' || isLoopback;
}

/**
 * Whether nobody on the way can read what goes to this origin: {@link isSafeForCredentials}, and no proxy elsewhere takes
 * over what was meant for this machine.
 */
export function isSafeOnTheWay(origin: string): boolean {
  const environment = environmentProxy();
  if (!isSafeForCredentials(origin)) {
    return false;
  }
  const { protocol } = new URL(origin);
  if (environment === undefined || protocol === 'https:') {
    return true;
  }
  const proxy = URL.parse(environment['http_proxy'] ?? environment['HTTP_PROXY'] ?? '');
  const exempt = (environment['no_proxy'] ?? environment['NO_PROXY'] ?? '').split(/[,\s]+/);
  return proxy === null || isSafeForCredentials(proxy) || exempt.some((entry) => isMeant(entry, origin));
}

/** Whether an entry of `NO_PROXY` is about this origin: a name, in any case, an address, or `*`, each with or without a port. */
function isMeant(entry: string, origin: string): boolean {
  const { hostname, port } = new URL(origin);
  const [, host = entry, only] = /^(\[.+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  const bare = (name: string) => name.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return (
    (host === '*' || bare(host) === bare(hostname)) &&
    (only === undefined || Number(only) === Number(port || 80))
  );
}
