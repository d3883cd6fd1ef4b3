import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { endAtOnce } from './end-at-once.ts';
import { findService } from './find-service.ts';
import { freePort } from './free-port.ts';
import type { Certificate } from './self-signed-certificate.ts';

const READY_WITHIN_MS = 20_000;

/** What the directory holds and how it serves it. */
export interface SlapdOptions {
  /** The name at the root of the directory, which `ldif` must begin with (or be empty). */
  readonly suffix: string;
  /** The entries, as LDIF (RFC 2849). */
  readonly ldif: string;
  /** Lines for the configuration before the database, such as attribute types. @default none */
  readonly globalConfiguration?: string | undefined;
  /** Lines for the configuration of the database, such as limits and access. @default everybody reads everything */
  readonly databaseConfiguration?: string | undefined;
  /** Serves ldaps and StartTLS with it. @default cleartext only */
  readonly certificate?: Certificate | undefined;
}

/** An OpenLDAP server of our own. */
export interface Slapd extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** For ldaps; 0 without a certificate. */
  readonly tlsPort: number;
  /** Who may do everything. */
  readonly administrator: { readonly dn: string; readonly password: string };
  /** The filters of the searches it was asked for, in the server's spelling. */
  readonly searches: readonly string[];
  /** Adds or, with `changetype`, changes entries. */
  readonly apply: (ldif: string) => Promise<void>;
  /** Ends it at once, as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same ports, with what it had. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Starts OpenLDAP on free loopback ports, from a temporary directory that goes away with it. Expects Debian's layout.
 * @throws {Error} when it is not installed or does not come up, with what it said
 */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const program = findService({ program: 'slapd', debianPackage: 'slapd ldap-utils' });
  const addProgram = findService({ program: 'ldapmodify', debianPackage: 'slapd ldap-utils' });
  if (program === undefined || addProgram === undefined) {
    throw new Error('slapd is not installed');
  }
  const directory = await mkdtemp(join(tmpdir(), 'slapd-'));
  const administrator = { dn: `cn=admin,${options.suffix}`, password: 'admin-of-the-test' };
  const [port, tlsPort] = [await freePort(), options.certificate === undefined ? 0 : await freePort()];
  const url = `ldap://127.0.0.1:${port}`;
  const searches: string[] = [];
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const urls = [url, ...(tlsPort === 0 ? [] : [`ldaps://127.0.0.1:${tlsPort}`])];
    // -d keeps it in the foreground; 256 makes it say what it is asked.
    const child = spawn(
      program ?? '',
      ['-f', join(directory, 'slapd.conf'), '-h', urls.join(' '), '-d', '256'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    server = child;
    // Whatever ends this process, short of SIGKILL, ends the server too.
    process.once('exit', endServer);
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      const filter = / SRCH base=.* filter="(.*)"$/.exec(line)?.[1];
      if (filter !== undefined) {
        searches.push(filter);
      }
      if (said.length < 50) {
        said.push(line);
      }
    });
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await accepts(port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`slapd does not come up:\n${said.join('\n')}`);
      }
      await delay(20);
    }
  }

  async function apply(ldif: string): Promise<void> {
    const { dn, password } = administrator;
    const child = spawn(addProgram ?? '', ['-a', '-x', '-H', url, '-D', dn, '-w', password], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdin.end(ldif);
    const [code] = await once(child, 'close');
    if (code !== 0) {
      throw new Error(`ldapmodify failed: ${said}`);
    }
  }

  const endServer = (): void => void server?.kill('SIGKILL');
  async function kill(): Promise<void> {
    process.off('exit', endServer);
    await endAtOnce(server);
  }

  const close = async (): Promise<void> => {
    await kill();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await mkdir(join(directory, 'database'));
    await writeFile(join(directory, 'slapd.conf'), configuration(options, directory, administrator));
    if (options.certificate !== undefined) {
      await writeFile(join(directory, 'cert.pem'), options.certificate.cert);
      await writeFile(join(directory, 'key.pem'), options.certificate.key, { mode: 0o600 });
    }
    await start();
    if (options.ldif !== '') {
      await apply(options.ldif);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    url,
    tlsPort,
    administrator,
    searches,
    apply,
    kill,
    restart: start,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function configuration(
  options: SlapdOptions,
  directory: string,
  administrator: { readonly dn: string; readonly password: string },
): string {
  const tls = [`TLSCertificateFile ${directory}/cert.pem`, `TLSCertificateKeyFile ${directory}/key.pem`];
  return `${[
    ...['core', 'cosine', 'inetorgperson'].map((schema) => `include /etc/ldap/schema/${schema}.schema`),
    'modulepath /usr/lib/ldap',
    ...['back_mdb', 'memberof', 'ppolicy'].map((module) => `moduleload ${module}`),
    `pidfile ${directory}/slapd.pid`,
    ...(options.certificate === undefined ? [] : tls),
    options.globalConfiguration ?? '',
    'database mdb',
    'maxsize 268435456',
    `suffix "${options.suffix}"`,
    `rootdn "${administrator.dn}"`,
    `rootpw ${administrator.password}`,
    `directory ${directory}/database`,
    'index objectClass,uid,member eq',
    // A test's directory may be lost in a crash of the machine.
    'dbnosync',
    options.databaseConfiguration ?? '',
    'overlay memberof',
    'overlay ppolicy',
  ].join('\n')}\n`;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Not yet.
    return false;
  } finally {
    socket.destroy();
  }
}
