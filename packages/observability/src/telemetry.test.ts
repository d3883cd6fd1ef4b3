import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createTelemetry } from './telemetry.ts';

function createTestTelemetry() {
  return createTelemetry({
    serviceName: 'test-server',
    serviceVersion: '1.2.3',
    resourceAttributes: { 'deployment.environment.name': 'staging' },
  });
}

const call = {
  method: 'tools/call',
  target: 'list_services',
  era: '2026',
  transport: 'http',
  durationMs: 30,
} as const;

describe('createTelemetry', () => {
  it('names the service in target_info', async () => {
    await using telemetry = createTestTelemetry();
    expect(await telemetry.prometheus()).toContain(
      'target_info{deployment_environment_name="staging",service_name="test-server",service_version="1.2.3"} 1',
    );
  });

  it('records a call as a duration in seconds and as a count', async () => {
    await using telemetry = createTestTelemetry();
    telemetry.recordCall({ ...call, result: 'success' });
    const text = await telemetry.prometheus();
    const labels =
      'mcp_method_name="tools/call",gen_ai_tool_name="list_services",gen_ai_operation_name="execute_tool"';
    expect(text).toContain('# TYPE mcp_server_operation_duration_seconds histogram');
    expect(text).toContain(
      `mcp_server_operation_duration_seconds_sum{${labels},network_transport="tcp"} 0.03\n`,
    );
    expect(text).toContain(
      `mcp_server_operation_duration_seconds_bucket{${labels},network_transport="tcp",le="0.02"} 0\n`,
    );
    expect(text).toContain(
      `mcp_server_operation_duration_seconds_bucket{${labels},network_transport="tcp",le="0.05"} 1\n`,
    );
    expect(text).toContain(
      `mcp_parts_server_calls_total{${labels},mcp_parts_call_result="success",mcp_parts_protocol_era="2026"} 1`,
    );
  });

  it('labels a call that did not succeed with its reason', async () => {
    await using telemetry = createTestTelemetry();
    telemetry.recordCall({ ...call, transport: 'stdio', result: 'denied', reason: 'missing_permission' });
    telemetry.recordCall({ ...call, transport: 'stdio', result: 'failure' });
    const text = await telemetry.prometheus();
    expect(text).toMatch(
      /operation_duration_seconds_count\{.*error_type="missing_permission",network_transport="pipe"\} 1/,
    );
    expect(text).toMatch(
      /operation_duration_seconds_count\{.*error_type="_OTHER",network_transport="pipe"\} 1/,
    );
  });

  it.each([
    ['prompts/get', 'deploy_safely', 'gen_ai_prompt_name="deploy_safely"'],
    ['resources/read', 'deployment://config/{service}', 'mcp_resource_uri="deployment://config/{service}"'],
  ])('labels %s with its target', async (method, target, label) => {
    await using telemetry = createTestTelemetry();
    telemetry.recordCall({ ...call, method, target, result: 'success' });
    expect(await telemetry.prometheus()).toContain(`{mcp_method_name="${method}",${label},`);
  });

  it('does not label a method that has no target', async () => {
    await using telemetry = createTestTelemetry();
    telemetry.recordCall({ ...call, method: 'tools/list', target: 'anything', result: 'success' });
    expect(await telemetry.prometheus()).not.toContain('anything');
  });

  it('shows what other parts measure with its meter', async () => {
    await using telemetry = createTestTelemetry();
    telemetry.meter
      .createHistogram('http.client.request.duration', { unit: 's' })
      .record(0.25, { 'service.peer.name': 'deployment-api', 'http.request.method': 'POST' });
    expect(await telemetry.prometheus()).toContain(
      'http_client_request_duration_seconds_sum{service_peer_name="deployment-api",http_request_method="POST"} 0.25',
    );
  });

  it('reads gauges at scrape time and leaves out one that throws', async () => {
    await using telemetry = createTestTelemetry();
    let backlog = 3;
    telemetry.observeGauge('mcp_parts.audit.backlog', 'Events not delivered yet.', () => backlog);
    telemetry.observeGauge('mcp_parts.broken', 'Throws.', () => {
      throw new Error('no reading');
    });
    expect(await telemetry.prometheus()).toContain('mcp_parts_audit_backlog 3');
    backlog = 4;
    const text = await telemetry.prometheus();
    expect(text).toContain('# HELP mcp_parts_audit_backlog Events not delivered yet.');
    expect(text).toContain('mcp_parts_audit_backlog 4');
    expect(text).not.toMatch(/^mcp_parts_broken/m);
  });

  it('reads one number for each value of a label', async () => {
    await using telemetry = createTestTelemetry();
    const reading = [
      { value: 3, labels: { sink: 'collector' } },
      { value: 0, labels: { sink: 'file' } },
    ];
    telemetry.observeGauge('mcp.audit.sink.backlog', 'Waiting events.', () => reading);
    telemetry.observeCounter('mcp.audit.sink.failures', 'Failed attempts.', () => reading);
    const text = await telemetry.prometheus();
    expect(text).toContain('mcp_audit_sink_backlog{sink="collector"} 3');
    expect(text).toContain('mcp_audit_sink_backlog{sink="file"} 0');
    expect(text).toContain('# TYPE mcp_audit_sink_failures_total counter');
    expect(text).toContain('mcp_audit_sink_failures_total{sink="collector"} 3');
  });

  it('knows no trace until an application installs tracing', async () => {
    await using telemetry = createTestTelemetry();
    await expect(telemetry.span('tools/call', {}, async () => telemetry.activeTraceId())).resolves.toBe(
      undefined,
    );
  });

  it('tells the trace id of the active span', async () => {
    await using telemetry = createTestTelemetry();
    const traceId = 'a'.repeat(32);
    const current = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b'.repeat(16), traceFlags: 0 });
    context.setGlobalContextManager({
      active: () => current,
      with: (_context, run, self, ...args) => run.apply(self, args),
      bind: (_context, target) => target,
      enable() {
        return this;
      },
      disable() {
        return this;
      },
    });
    onTestFinished(() => context.disable());
    expect(telemetry.activeTraceId()).toBe(traceId);
  });

  it('returns what a span ran, and passes its error on', async () => {
    await using telemetry = createTestTelemetry();
    await expect(telemetry.span('tools/call', {}, async () => 7)).resolves.toBe(7);
    const error = new Error('backend down');
    await expect(telemetry.span('tools/call', {}, () => Promise.reject(error))).rejects.toBe(error);
  });

  it('can be shut down twice and ignores what comes later', async () => {
    const telemetry = createTestTelemetry();
    await telemetry.shutdown();
    await telemetry.shutdown();
    expect(() => telemetry.recordCall({ ...call, result: 'success' })).not.toThrow();
  });
});

it('shows the process by the names of the conventions', async () => {
  await using telemetry = createTelemetry({ serviceName: 'test', serviceVersion: '1' });
  const text = await telemetry.prometheus();
  for (const name of [
    'process_cpu_time_seconds_total{cpu_mode="user"}',
    'process_memory_usage_bytes',
    'process_uptime_seconds',
    'nodejs_eventloop_utilization_ratio',
    'nodejs_eventloop_delay_p99_seconds',
    'nodejs_eventloop_delay_max_seconds',
    'v8js_memory_heap_used_bytes',
    'v8js_memory_heap_limit_bytes',
  ]) {
    expect(text).toContain(`\n${name} `);
  }
});
