import type { Decision } from '../policy/policy.ts';
import type { Membership } from './group-file.ts';

/** Why somebody may use a permission, or not. Written as it is with `--json`. */
export interface Explanation {
  readonly who: string;
  readonly permission: string;
  readonly decision: Decision;
  readonly memberships: readonly Membership[];
  /** Grants that apply to this subject. */
  readonly grants: readonly string[];
  readonly required: { readonly groups: readonly Condition[]; readonly fresh: boolean } | undefined;
  readonly scopes: {
    readonly held: readonly string[];
    readonly assumed: boolean;
    readonly needed: readonly string[];
  };
  /** Where the groups come from, and how old that is. */
  readonly data: { readonly source: string; readonly asOf: string; readonly ageMs: number } | undefined;
}

/** A group that is required. */
interface Condition {
  readonly name: string;
  readonly met: boolean;
}

/** The same for people: a verdict, and a row for each reason. */
export function explanationText({ who, permission, decision, ...rest }: Explanation): string {
  const rows: [string, string][] = [
    ['rule', decision.rule ?? (decision.allowed ? '' : 'no grant covers it')],
    ...(decision.allowed ? [] : [['reason', decision.reason] as [string, string]]),
    ...rowsOf('grants', rest.grants),
    ...rowsOf(
      'groups',
      rest.memberships.map(
        ({ group, via }) => `${group} (${via.length === 0 ? 'direct' : `via ${via.join(' > ')}`})`,
      ),
    ),
    ...rowsOf(
      'requires',
      (rest.required?.groups ?? []).map(({ name, met }) => `group ${name}: ${met ? 'yes' : 'NO'}`),
    ),
    ...(rest.required?.fresh === true
      ? [['requires', 'groups looked up at the time of the call'] as [string, string]]
      : []),
    [
      'scopes',
      `${rest.scopes.held.join(' ') || 'none'}${rest.scopes.assumed ? ' (assumed; give --scopes)' : ''}`,
    ],
    ['needs', `${rest.scopes.needed.join(' ')} (the smallest set of scopes)`],
    ...(rest.data === undefined
      ? []
      : [['data', `${rest.data.source}, ${age(rest.data.ageMs)} old`] as [string, string]]),
  ];
  const verdict = `${decision.allowed ? 'ALLOWED' : 'DENIED'}  ${permission} for ${who}`;
  return `${verdict}\n${rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}\n`).join('')}`;
}

function rowsOf(name: string, values: readonly string[]): [string, string][] {
  return (values.length === 0 ? ['none'] : values).map((value) => [name, value]);
}

function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) {
    return `${Math.max(0, Math.floor(ms / 1000))} s`;
  }
  if (minutes < 120) {
    return `${minutes} min`;
  }
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}
