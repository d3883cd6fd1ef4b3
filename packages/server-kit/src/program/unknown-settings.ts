import { nearest } from './kinds/nearest.ts';
import type { Settings } from './settings.ts';

/** Variables that Kubernetes makes for each Service of the namespace, such as `AUDIT_SERVICE_HOST`. */
const SERVICE_LINK = /_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)\w*)?)$/u;
/** Shorter names are near to too many that belong to others: `HOST` and `HOME`. */
const MIN_LENGTH = 8;

/**
 * What is wrong with variables that no setting reads: those with a prefix that several of the settings share, and those
 * that are a typing error away from one.
 */
export function unknownSettings(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const known = new Set(Object.keys(settings).flatMap((name) => [name, `${name}_FILE`]));
  const prefixes = sharedPrefixes(Object.keys(settings));
  return Object.entries(environment).flatMap(([name, value]) => {
    // Where the names of variables have no case, as on Windows, another spelling reads the same value.
    const isRead =
      known.has(name) || (environment[name.toUpperCase()] === value && known.has(name.toUpperCase()));
    if (value === undefined || value === '' || isRead || SERVICE_LINK.test(name)) {
      return [];
    }
    const near = name.length < MIN_LENGTH ? undefined : nearest(name, known);
    if (near !== undefined) {
      return [`${name} is not a setting: write ${near}`];
    }
    return prefixes.has(prefixOf(name))
      ? [`${name} is not a setting: remove it, or see --help for those there are`]
      : [];
  });
}

function prefixOf(name: string): string {
  return name.split('_', 1)[0] ?? '';
}

function sharedPrefixes(names: readonly string[]): ReadonlySet<string> {
  const prefixes = names.filter((name) => name.includes('_')).map(prefixOf);
  return new Set(prefixes.filter((prefix, index) => prefixes.indexOf(prefix) !== index));
}
