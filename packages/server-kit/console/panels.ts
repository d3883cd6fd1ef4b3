import type { ConsoleEvent, ConsoleState } from '../src/console/console-state.ts';
import { badge, element, show, sparkline, table } from './dom.ts';
import { bytes, clock, duration, number, percent, seconds } from './format.ts';
import type { History } from './history.ts';
import type { Scrape } from './metrics.ts';

const CALLS = 'mcp_parts_server_calls_total';
const CALL_DURATION = 'mcp_server_operation_duration_seconds';
const REQUESTS = 'http_server_request_duration_seconds_count';
const UPSTREAM_DURATION = 'http_client_request_duration_seconds';
const CIRCUIT = 'mcp_parts_client_circuit_state';
const RESULT = 'mcp_parts_call_result';

/** What the page is drawn from. */
export interface View {
  readonly state: ConsoleState;
  readonly scrape: Scrape;
  readonly history: History;
}

const STATUS = {
  ready: ['Ready', 'good'],
  degraded: ['Degraded', 'warn'],
  not_ready: ['Not ready', 'bad'],
  closing: ['Closing', 'warn'],
} as const;

export function showStatus({ state, scrape }: View): void {
  const [text, kind] = STATUS[state.status];
  show('status', badge(text, kind));
  const { name, version } = state.server;
  document.title = `${text} · ${name}`;
  show('name', document.createTextNode(name));
  const uptime = duration(scrape.sum('process_uptime_seconds'));
  document.getElementById('sign-out')?.toggleAttribute('hidden', !state.isSignedIn);
  show('about', document.createTextNode(`version ${version} · up ${uptime}`));
}

export function showTiles({ scrape, history }: View): void {
  const calls = history.perMinute(CALLS);
  const failures =
    history.perMinute(CALLS, { [RESULT]: 'failure' }) + history.perMinute(CALLS, { [RESULT]: 'unknown' });
  const limit = scrape.value('v8js_memory_heap_limit_bytes');
  show(
    'tiles',
    tile('Calls', number(calls), 'per minute', sparkline(history.rates(CALLS))),
    tile(
      'Failing',
      percent(failures, calls),
      `${number(failures)} per minute`,
      sparkline(history.rates(CALLS, { [RESULT]: 'failure' }), 'bad'),
    ),
    tile(
      'p95 latency',
      seconds(history.quantile(0.95, CALL_DURATION)),
      '95 of 100 calls are faster',
      sparkline(history.quantiles(0.95, CALL_DURATION)),
    ),
    tile(
      'In flight',
      number(scrape.sum('mcp_server_active_requests')),
      `${number(scrape.sum('mcp_server_sessions'))} sessions · ${number(scrape.sum('mcp_server_streams'))} streams`,
      sparkline(history.gauge('mcp_server_active_requests')),
    ),
    tile(
      'Event loop',
      seconds(scrape.value('nodejs_eventloop_delay_p99_seconds')),
      `p99 delay · ${percent(scrape.sum('nodejs_eventloop_utilization_ratio'), 1)} busy`,
      sparkline(history.gauge('nodejs_eventloop_delay_p99_seconds')),
    ),
    tile(
      'Memory',
      bytes(scrape.value('process_memory_usage_bytes')),
      `heap ${percent(scrape.sum('v8js_memory_heap_used_bytes'), limit ?? 0)} of ${bytes(limit)}`,
      sparkline(history.gauge('process_memory_usage_bytes')),
    ),
  );
}

function tile(title: string, value: string, detail: string, chart: Node): HTMLElement {
  return element(
    'div',
    { class: 'tile' },
    element('h3', {}, title),
    element('p', { class: 'value' }, value),
    element('p', { class: 'detail' }, detail),
    chart,
  );
}

export function showTools({ scrape, history }: View): void {
  const rows = scrape
    .values(CALLS, 'gen_ai_tool_name')
    .map((tool) => ({ tool, where: { gen_ai_tool_name: tool } }))
    .toSorted((a, b) => scrape.sum(CALLS, b.where) - scrape.sum(CALLS, a.where))
    .map(({ tool, where }) => {
      const of = (result: string) => scrape.sum(CALLS, { ...where, [RESULT]: result });
      const failed = of('failure') + of('unknown');
      return [
        element('span', { class: 'name' }, tool === '_other' ? 'unknown to this server' : tool),
        sparkline(history.rates(CALLS, where)),
        number(history.perMinute(CALLS, where)),
        number(scrape.sum(CALLS, where)),
        marked(failed, 'bad'),
        marked(of('denied'), 'warn'),
        seconds(history.quantile(0.5, CALL_DURATION, where)),
        seconds(history.quantile(0.95, CALL_DURATION, where)),
      ];
    });
  const columns = [
    { title: 'Tool' },
    { title: 'Two minutes' },
    ...['Per minute', 'Calls', 'Failed', 'Refused', 'Median', 'p95'].map((title) => ({
      title,
      isNumber: true,
    })),
  ];
  show('tools', table(columns, rows, 'No tool was called yet.'));
}

function marked(count: number, kind: 'bad' | 'warn'): Node {
  return element('span', count === 0 ? { class: 'faint' } : { class: `text-${kind}` }, number(count));
}

/** What never reached a tool, by its HTTP status. */
const REFUSALS: readonly (readonly [string, string])[] = [
  ['401', 'no valid token'],
  ['403', 'not permitted'],
  ['429', 'over a limit'],
  ['503', 'overloaded, or closing'],
];

export function showRefusals({ scrape, history }: View): void {
  const rows = REFUSALS.map(([status, meaning]) => {
    const where = { http_response_status_code: status };
    return [
      element('span', { class: 'name' }, `${status} ${meaning}`),
      number(history.perMinute(REQUESTS, where)),
      marked(scrape.sum(REQUESTS, where), 'warn'),
    ];
  });
  const columns = [
    { title: 'Status' },
    { title: 'Per minute', isNumber: true },
    { title: 'In all', isNumber: true },
  ];
  show('refusals', table(columns, rows, ''));
}

export function showUpstreams({ scrape, history }: View): void {
  const PEER = 'service_peer_name';
  const names = new Set([
    ...scrape.values(`${UPSTREAM_DURATION}_count`, PEER),
    ...scrape.values(CIRCUIT, PEER),
  ]);
  const rows = [...names].map((name) => {
    const where = { [PEER]: name };
    const requests = scrape.of(`${UPSTREAM_DURATION}_count`, where);
    const failed = requests.filter(({ labels }) => labels['error_type'] !== undefined);
    return [
      element('span', { class: 'name' }, name),
      sparkline(history.rates(`${UPSTREAM_DURATION}_count`, where)),
      number(history.perMinute(`${UPSTREAM_DURATION}_count`, where)),
      marked(
        failed.reduce((total, { value }) => total + value, 0),
        'bad',
      ),
      number(scrape.sum('mcp_parts_client_retries_total', where)),
      seconds(history.quantile(0.95, UPSTREAM_DURATION, where)),
      circuits(scrape, where),
    ];
  });
  const columns = [
    { title: 'Backend' },
    { title: 'Two minutes' },
    ...['Per minute', 'Failed', 'Retries', 'p95'].map((title) => ({ title, isNumber: true })),
    { title: 'Circuits' },
  ];
  show('upstreams', table(columns, rows, 'No backend was asked yet.'));
}

/** The circuits that are not closed, by name; the others are only counted. */
function circuits(scrape: Scrape, where: Readonly<Record<string, string>>): Node {
  const now = scrape.of(CIRCUIT, where).filter(({ value }) => value === 1);
  const stateOf = ({ labels }: (typeof now)[number]) => labels['mcp_parts_state'] ?? '';
  const closed = now.filter((sample) => stateOf(sample) === 'closed').length;
  const others = now.filter((sample) => stateOf(sample) !== 'closed');
  return element(
    'span',
    { class: 'badges' },
    ...others.map((sample) =>
      badge(
        `${sample.labels['mcp_parts_endpoint'] ?? ''} ${stateOf(sample).replace('_', ' ')}`,
        stateOf(sample) === 'half_open' ? 'warn' : 'bad',
      ),
    ),
    closed > 0 ? badge(`${closed} closed`, others.length === 0 ? 'good' : 'quiet') : undefined,
  );
}

export function showReadiness({ state }: View): void {
  const checks = Object.entries(state.checks).map(([name, result]) => [
    element('span', { class: 'name' }, name),
    badge(result, result === 'ok' ? 'good' : result === 'failed' ? 'bad' : 'quiet'),
  ]);
  const facts = state.facts.map(({ fact, ageMs, limitMs, failingMs }) => [
    element('span', { class: 'name' }, fact),
    duration(ageMs / 1000),
    duration(limitMs / 1000),
    ageMs >= limitMs
      ? badge('expired', 'bad')
      : failingMs > 0
        ? badge(`failing for ${duration(failingMs / 1000)}`, 'warn')
        : badge('ok', 'good'),
  ]);
  show('checks', table([{ title: 'Check' }, { title: 'State' }], checks, 'Nothing is checked.'));
  const columns = [
    { title: 'Fact' },
    { title: 'Age', isNumber: true },
    { title: 'Limit', isNumber: true },
    { title: 'State' },
  ];
  show('facts', table(columns, facts, 'Decisions rest on nothing that ages.'));
}

export function showTrail({ state, scrape }: View, onlyProblems: boolean): void {
  const isRecording = scrape.value('mcp_audit_recording');
  const used = scrape.value('mcp_audit_disk_used_bytes');
  const left = scrape.value('mcp_audit_disk_time_left_seconds');
  const chain = state.recent?.chain;
  show(
    'trail',
    isRecording === undefined
      ? badge('not its own trail', 'quiet')
      : isRecording === 1
        ? badge('recording', 'good')
        : badge('not recording', 'bad'),
    ...(chain === undefined ? [] : [badge(`chain ${chain}`, chain === 'linked' ? 'good' : 'bad')]),
    ...(used === undefined
      ? []
      : [
          element(
            'span',
            { class: 'fact' },
            `${bytes(used)} of ${bytes(scrape.value('mcp_audit_disk_max_bytes'))}${left === undefined ? '' : `, full in ${duration(left)}`}`,
          ),
        ]),
    ...scrape
      .of('mcp_audit_sink_backlog')
      .map(({ labels, value }) =>
        element(
          'span',
          { class: 'fact' },
          `${labels['sink'] ?? ''}: ${value === 0 ? 'has everything' : `${number(value)} behind`}`,
        ),
      ),
  );
  const events = (state.recent?.events ?? []).filter((event) => !onlyProblems || isProblem(event));
  const columns = [
    { title: 'No.', isNumber: true },
    { title: 'Time' },
    { title: 'Who' },
    { title: 'What' },
    { title: 'On' },
    { title: 'Outcome' },
    { title: 'Took', isNumber: true },
    { title: 'Reference' },
  ];
  const empty = state.recent === undefined ? 'This trail does not show its events here.' : 'No such event.';
  show('events', table(columns, events.map(eventRow), empty));
}

function isProblem({ result }: ConsoleEvent): boolean {
  return result !== undefined && result !== 'success';
}

function eventRow(event: ConsoleEvent): readonly (string | Node)[] {
  const { sequence, time, actor, action, target, resource, durationMs, correlationId } = event;
  return [
    String(sequence),
    clock(time),
    element('span', { class: 'name', title: actor }, actor.slice(actor.lastIndexOf('#') + 1)),
    element('span', { title: action }, target === '' ? action : target),
    resource ?? '',
    outcomeOf(event),
    seconds(durationMs === undefined ? undefined : durationMs / 1000),
    element('code', { title: correlationId }, correlationId.slice(0, 8)),
  ];
}

function outcomeOf({ stage, result, reason, count }: ConsoleEvent): Node {
  if (stage === 'intent') {
    return badge('begun', 'quiet');
  }
  const times = count === undefined ? '' : ` × ${count}`;
  if (result === 'success') {
    return badge('success', 'good');
  }
  return badge(`${reason ?? result ?? ''}${times}`, result === 'denied' ? 'warn' : 'bad');
}
