import type { ServedRequest } from '../gate/served-request.ts';
import type { CreateHttpEra } from '../http-era.ts';
import { classify } from './classify.ts';
import { createEndpoint2026 } from './endpoint-2026.ts';

/** The revision 2026-07-28. */
export const era2026: CreateHttpEra = ({ table, binding, onError }) => {
  const endpoint = createEndpoint2026(table, binding, onError);
  return {
    take(message, body, facts) {
      const route = classify(message, body, facts);
      if (route.era !== '2026') {
        return route.fault;
      }
      return message.kind === 'request'
        ? (request) => endpoint.serve(message, route.revision, request)
        : acceptNotification;
    },
    close: endpoint.close,
  };
};

/** 2026-07-28 defines none over HTTP that a server would have to act on. */
function acceptNotification({ exchange }: ServedRequest): Promise<void> {
  exchange.answer(202, {});
  return Promise.resolve();
}
