import { registerHooks } from 'node:module';

const loaded: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    if (resolved.url.includes('opentelemetry')) {
      loaded.push(resolved.url);
    }
    return resolved;
  },
});
const { createTelemetry, openOtlp } = await import('../src/index.ts');
const service = { serviceName: 'test', serviceVersion: '1' };
await using otlp = await openOtlp({ environment: {}, ...service });
await using _telemetry = createTelemetry({ ...service, otlp });
process.stdout.write(JSON.stringify(loaded));
