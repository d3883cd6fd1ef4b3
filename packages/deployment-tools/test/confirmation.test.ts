import { connect, testCaller, type ConnectOptions } from '@mcp-parts/testing';
import { createCatalog, createMethodTable } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { DeploymentToolsOptions } from '../src/index.ts';
import {
  configurationOfPayments,
  definitionsOf,
  paths,
  startPlatform,
  storedTasks,
  target,
  type Platform,
} from './fake-platform.ts';
import { problem } from './fake-upstream.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
});

afterEach(() => platform[Symbol.asyncDispose]());

const ada = testCaller({
  permissions: ['deploy:read', 'deploy:production', 'deploy:staging', 'services:delete'],
});
const question = 'Deploy payment-service 2.5.0 to production (eu-central, us-east), in place of 2.4.0?';

describe.each(['2025', '2026'] as const)('in %s', (era) => {
  function server(options: Partial<DeploymentToolsOptions> = {}) {
    const table = createMethodTable(createCatalog(definitionsOf(platform, options)), {
      tasks: storedTasks(),
    });
    return async (
      name: string,
      input: Record<string, unknown>,
      { caller = ada, onQuestion }: Pick<ConnectOptions, 'onQuestion'> & { caller?: typeof ada } = {},
    ) => {
      await using connection = await connect(table, { era, caller, onQuestion });
      const result = await connection.client
        .callTool({ name, arguments: input })
        .catch((error: unknown) => ({ content: [{ type: 'text' as const, text: String(error) }] }));
      const [block] = result.content;
      return block?.type === 'text' ? block.text : '';
    };
  }

  describe('a deployment to production', () => {
    // As they are by default.
    const confirmation = { production: 'confirm' } as const;

    it('starts once the person has agreed to what it replaces, and where', async () => {
      const asked: unknown[] = [];
      const text = await server({ confirmation })('trigger_deployment', target, {
        onQuestion(sent) {
          asked.push(sent.params['message']);
          return { action: 'accept', content: { confirm: true } };
        },
      });
      expect(asked).toEqual([question]);
      expect(text).toContain('is task task-1');
    });

    it('is asked about again when something else runs there by then', async () => {
      const asked: unknown[] = [];
      await server({ confirmation })('trigger_deployment', target, {
        onQuestion(sent) {
          asked.push(sent.params['message']);
          platform.upstream.on(`GET ${paths.configuration}`, {
            json: { ...configurationOfPayments, version: '2.4.1', updatedAt: '2026-03-10T16:00:01.000Z' },
          });
          return { action: 'accept', content: { confirm: true } };
        },
      });
      expect(asked).toEqual([question, question.replace('2.4.0', '2.4.1')]);
    });

    it('is refused to a client that can ask nobody, and says what it takes', async () => {
      expect(await server({ confirmation })('trigger_deployment', target)).toMatch(
        /A person has to confirm trigger_deployment first.*"elicitation"/u,
      );
    });

    it('asks nobody about a service that does not exist, and says where the names are', async () => {
      platform.upstream.on(`GET ${paths.configuration}`, problem(404, 'No.'));
      const text = await server({ confirmation })('trigger_deployment', target);
      expect(text).toMatch(/^Nothing was deployed: .*Call list_services/u);
    });

    it.each([
      ['payment-service', /is task task-1/u],
      ['payment', /was not done/u],
    ])('takes the typed name of the service where the policy wants that: %s', async (name, words) => {
      const call = server({ confirmation: { production: 'typed_name' } });
      const onQuestion = () => ({ action: 'accept', content: { name } });
      expect(await call('trigger_deployment', target, { onQuestion })).toMatch(words);
    });

    it('takes a second person where the policy wants one, of a client that can ask nobody too', async () => {
      const call = server({ confirmation: { production: 'second_person' } });
      const refused = await call('trigger_deployment', target);
      const [approvalId] = /[\da-f]{8}-[\da-f-]{27}/u.exec(refused) ?? [];
      expect(refused).toContain('permission "deploy:approve" has to call approve_deployment');
      const asked: unknown[] = [];
      const bob = testCaller({ id: 'https://issuer.test#bob', permissions: ['deploy:approve'] });
      await call(
        'approve_deployment',
        { approvalId },
        {
          caller: bob,
          onQuestion(sent) {
            asked.push(sent.params['message']);
            return { action: 'accept', content: { confirm: true } };
          },
        },
      );
      expect(asked).toEqual([`Ada asks you to approve this:\n\n${question}`]);
      expect(await call('trigger_deployment', target)).toContain('is task task-1');
    });
  });

  it('asks nobody about staging, and reads nothing for it', async () => {
    const call = server({ confirmation: { production: 'confirm' } });
    expect(await call('trigger_deployment', { ...target, environment: 'staging' })).toContain(
      'is task task-1',
    );
    expect(platform.upstream.requests).toEqual([]);
  });

  describe('delete_service', () => {
    const about = { description: 'Books every movement.', ownerTeam: 'payments', tier: 1 };
    const typing = (name: string) => ({ onQuestion: () => ({ action: 'accept', content: { name } }) });
    const deletions = () => platform.upstream.requests.filter(({ method }) => method === 'DELETE');

    beforeEach(() => {
      platform.upstream.on('GET /v1/services/ledger-service', { json: about });
      platform.upstream.on('GET /v1/services/ledger-service/dependants', { json: { dependants: [] } });
      platform.upstream.on('DELETE /v1/services/ledger-service', { json: {} });
    });

    it('deletes a service that none depends on, once its name is typed', async () => {
      const call = server();
      const input = { service: 'ledger-service' };
      expect(await call('delete_service', input, typing('ledger'))).toContain('was not done');
      expect(deletions()).toEqual([]);
      expect(await call('delete_service', input, typing('ledger-service'))).toBe(
        'ledger-service is deleted from all environments.',
      );
      expect(deletions()).toHaveLength(1);
    });

    it.each([
      ['an unknown one', 'GET /v1/services/ledger-service', problem(404, 'No.'), 'Call list_services'],
      [
        'one that others depend on',
        'GET /v1/services/ledger-service/dependants',
        { json: { dependants: ['payment-service'] } },
        'payment-service still depend on it. Tell the person: the teams of those services',
      ],
      [
        'one on which others have begun to depend meanwhile',
        'DELETE /v1/services/ledger-service',
        problem(409, 'In use.'),
        'Nothing was deleted: other services still depend on it. Tell the person',
      ],
    ])('refuses %s, and says what to do', async (_which, route, answer, words) => {
      platform.upstream.on(route, answer);
      const text = await server()('delete_service', { service: 'ledger-service' }, typing('ledger-service'));
      expect(text).toContain(words);
    });

    it('needs a permission of its own, and a client that shows forms', async () => {
      const call = server();
      const input = { service: 'ledger-service' };
      const other = testCaller({ permissions: ['deploy:read', 'deploy:production'] });
      expect(await call('delete_service', input, { caller: other, ...typing('ledger-service') })).toContain(
        'delete_service',
      );
      expect(await call('delete_service', input)).toContain('"elicitation"');
      expect(deletions()).toEqual([]);
    });
  });
});
