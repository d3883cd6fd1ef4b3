/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What can be sent over OTLP. */
type Signal = 'traces' | 'metrics' | 'logs';

/** How root spans are chosen. */
interface SamplerChoice {
  readonly isParentBased: boolean;
  /** The share of the traces that is kept, 0 to 1. */
  readonly ratio: number;
}

/** What the standard variables ask for. */
export interface OtlpPlan {
  readonly signals: ReadonlySet<Signal>;
  readonly sampler: SamplerChoice;
  /** `undefined`: what the SDK does by itself, as the specification has it. */
  readonly spanDelayMs: number | undefined;
  readonly logDelayMs: number | undefined;
  readonly metricIntervalMs: number | undefined;
  readonly serviceName: string | undefined;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** What is wrong with the variables, each with its name. */
  readonly problems: readonly string[];
}

const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];
const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;
const PARENT_BASED = 'parentbased_';

/**
 * Reads the variables of the OpenTelemetry specification ("Environment Variable Specification", "OTLP Exporter
 * Configuration") that decide what is sent. A signal is sent when its exporter is `otlp`, or none is named and there
 * is an endpoint for it. Endpoints, headers, certificates and time limits are left to the exporters, which read them.
 */
export function planOtlp(environment: Environment): OtlpPlan {
  const problems: string[] = [];
  const read = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === '' ? undefined : value;
  };
  const isDisabled = read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  const signals = new Set(SIGNALS.filter((signal) => !isDisabled && isWanted(signal, read, problems)));
  for (const signal of signals) {
    checkProtocol(signal, read, problems);
  }
  const wholeNumber = (name: string): number | undefined => {
    const text = read(name);
    if (text !== undefined && !/^\d{1,9}$/u.test(text)) {
      problems.push(`${name} must be a whole number of milliseconds`);
      return undefined;
    }
    return text === undefined ? undefined : Number(text);
  };
  return {
    signals,
    sampler: samplerOf(read, problems),
    spanDelayMs: wholeNumber('OTEL_BSP_SCHEDULE_DELAY'),
    logDelayMs: wholeNumber('OTEL_BLRP_SCHEDULE_DELAY'),
    metricIntervalMs: wholeNumber('OTEL_METRIC_EXPORT_INTERVAL'),
    serviceName: read('OTEL_SERVICE_NAME'),
    resourceAttributes: attributesOf(read('OTEL_RESOURCE_ATTRIBUTES'), problems),
    // What nobody reads is nobody's mistake.
    problems: signals.size > 0 ? problems : problems.filter((problem) => problem.includes('_EXPORTER')),
  };
}

type Read = (name: string) => string | undefined;

function isWanted(signal: Signal, read: Read, problems: string[]): boolean {
  const name = `OTEL_${signal.toUpperCase()}_EXPORTER`;
  const exporter = read(name)?.toLowerCase();
  switch (exporter) {
    case undefined:
      return (
        read('OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined ||
        read(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`) !== undefined
      );
    case 'otlp':
      return true;
    case 'none':
      return false;
    default:
      problems.push(`${name} must be otlp or none`);
      return false;
  }
}

function checkProtocol(signal: Signal, read: Read, problems: string[]): void {
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_PROTOCOL`;
  const name = read(own) === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : own;
  const problem = `${name} must be http/protobuf, or left out`;
  if ((read(name) ?? 'http/protobuf') !== 'http/protobuf' && !problems.includes(problem)) {
    problems.push(problem);
  }
}

function samplerOf(read: Read, problems: string[]): SamplerChoice {
  const name = read('OTEL_TRACES_SAMPLER')?.toLowerCase() ?? 'parentbased_always_on';
  const isParentBased = name.startsWith(PARENT_BASED);
  const root = SAMPLERS.find((sampler) => sampler === name.replace(PARENT_BASED, ''));
  switch (root) {
    case 'always_on':
      return { isParentBased, ratio: 1 };
    case 'always_off':
      return { isParentBased, ratio: 0 };
    case 'traceidratio': {
      const ratio = Number(read('OTEL_TRACES_SAMPLER_ARG') ?? 1);
      if (!(ratio >= 0 && ratio <= 1)) {
        problems.push('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1');
      }
      return { isParentBased, ratio };
    }
    case undefined:
      problems.push(`OTEL_TRACES_SAMPLER must be one of ${SAMPLERS.join(', ')}, or one with ${PARENT_BASED}`);
      return { isParentBased: true, ratio: 1 };
    default:
      return root satisfies never;
  }
}

// "Resource SDK", "Specifying resource information via an environment variable": key=value, percent-encoded.
function attributesOf(text: string | undefined, problems: string[]): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of (text ?? '').split(',').filter((part) => part.trim() !== '')) {
    const separator = pair.indexOf('=');
    try {
      if (separator < 1) {
        throw new Error('no pair');
      }
      attributes[decodeURIComponent(pair.slice(0, separator).trim())] = decodeURIComponent(
        pair.slice(separator + 1).trim(),
      );
    } catch {
      // Which of the two it was makes no difference to the operator.
      problems.push('OTEL_RESOURCE_ATTRIBUTES must be key=value pairs, separated by commas');
      return {};
    }
  }
  return attributes;
}
