import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js';

import { isFault, type ServedRequest } from '../gate/served-request.ts';
import { whenTokenEnds } from '../gate/token-lifetime.ts';
import type { SessionEndpoint } from '../http-era.ts';
import { encodeMessage, encodeResponse } from '../wire/encode.ts';
import { headerOf, type Exchange } from '../wire/exchange.ts';
import type { Message, RequestMessage } from '../wire/message.ts';
import { createPendingAnswer } from '../wire/pending-answer.ts';
import { answerFault, answerJson, rpcErrorCodes, type HttpFault } from '../wire/rpc-answer.ts';
import { boundedInitialize, initializeProblem } from './initialize.ts';
import type { SessionAnswer } from './session.ts';
import type { LiveSession, Sessions } from './sessions.ts';

/** Serves the revisions up to 2025-11-25, which have sessions. */
export interface Endpoint2025 extends Omit<SessionEndpoint, 'count'> {
  readonly post: (message: Message, request: ServedRequest) => Promise<void>;
}

const SESSION_HEADER = 'mcp-session-id';
/** The first revision whose clients understand an event without data. */
const PRIMED_SINCE = '2025-11-25';
const BATCH_VERSION = '2025-03-26';

const sessionNotFound: HttpFault = {
  status: 404,
  code: rpcErrorCodes.sessionNotFound,
  message: 'Session not found. Initialize again.',
};
const sessionNeeded: HttpFault = {
  status: 400,
  code: rpcErrorCodes.refused,
  message: 'A session is needed: send "initialize" first, then its Mcp-Session-Id with every request.',
};
const unsupportedVersion: HttpFault = {
  status: 400,
  code: rpcErrorCodes.refused,
  message: `Unsupported protocol version. Supported: ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}.`,
};
const sessionsFull: HttpFault = {
  status: 503,
  code: rpcErrorCodes.refused,
  message: 'Too many sessions are in use. Try again in 30 s.',
  headers: { 'retry-after': '30' },
};

/** Does what the 2025 revisions ask of an HTTP endpoint (2025-11-25, basic/transports). */
export function createEndpoint2025(sessions: Sessions): Endpoint2025 {
  /** The id of the session that a request names, or why it is refused. */
  function namedSession(exchange: Exchange): string | HttpFault {
    const version = headerOf(exchange, 'mcp-protocol-version');
    if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
      return unsupportedVersion;
    }
    return headerOf(exchange, SESSION_HEADER) ?? sessionNeeded;
  }

  /** The session of a request until its end, or `undefined` after the refusal was sent. */
  async function sessionOf(request: ServedRequest, message?: Message): Promise<LiveSession | undefined> {
    const { exchange, caller } = request;
    const refuse = (fault: HttpFault) =>
      answerFault(exchange, message?.kind === 'request' ? message.id : undefined, fault);
    const id = namedSession(exchange);
    if (typeof id !== 'string') {
      refuse(id);
      return undefined;
    }
    const found = await sessions.find(id, caller.id);
    if (found === undefined || found === 'full') {
      refuse(found === 'full' ? sessionsFull : sessionNotFound);
      return undefined;
    }
    exchange.onClose(found.leave);
    return found;
  }

  async function initialize(message: RequestMessage, request: ServedRequest): Promise<void> {
    const { exchange, caller, accepts } = request;
    const problem = initializeProblem(message.params);
    if (problem !== undefined) {
      answerFault(exchange, message.id, {
        status: 400,
        code: rpcErrorCodes.invalidParams,
        message: problem,
      });
      return;
    }
    const [running] = (await request.admit([message], '2025')) ?? [];
    if (running === undefined) {
      return;
    }
    const live = sessions.open(caller.id);
    if (live === undefined) {
      running.leave();
      answerFault(exchange, message.id, sessionsFull);
      return;
    }
    exchange.onClose(live.leave);
    const bounded = { ...message, params: boundedInitialize(message.params ?? {}) };
    live.session.request(bounded, running, {
      notify: () => false,
      abandon: () => exchange.answer(202, {}),
      respond(response) {
        const id = sessions.register(live.session);
        if (id !== undefined) {
          exchange.setHeader(SESSION_HEADER, id);
        }
        const answer = createPendingAnswer(exchange, {
          id: message.id,
          accepts,
          openChannel: () => live.session.streams.openAnswer(exchange, false),
        });
        answer.respond(response);
      },
    });
  }

  return {
    async post(message, request) {
      const { exchange, accepts } = request;
      if (message.kind === 'request' && message.method === 'initialize') {
        await initialize(message, request);
        return;
      }
      const live = await sessionOf(request, message);
      if (live === undefined) {
        return;
      }
      if (message.kind !== 'request') {
        live.session.accept(message, request.auth());
        exchange.answer(202, {});
        return;
      }
      const [running] = (await request.admit([message], '2025')) ?? [];
      if (running === undefined) {
        return;
      }
      const { streams } = live.session;
      const isPrimed = (live.session.state()?.version ?? '') >= PRIMED_SINCE;
      live.session.request(
        message,
        running,
        createPendingAnswer(exchange, {
          id: message.id,
          accepts,
          openChannel: () => streams.openAnswer(exchange, isPrimed),
        }),
      );
    },

    async postBatch(messages, request) {
      const { exchange } = request;
      const live = await sessionOf(request);
      if (live === undefined) {
        return;
      }
      if (live.session.state()?.version !== BATCH_VERSION) {
        answerFault(exchange, undefined, {
          status: 400,
          code: rpcErrorCodes.invalidRequest,
          message: 'This revision has no batches: send one message at a time.',
        });
        return;
      }
      const requests = messages.filter((message) => message.kind === 'request');
      const running = await request.admit(requests, '2025');
      if (running === undefined) {
        return;
      }
      const answers: string[] = [];
      let left = requests.length;
      const finish = (text?: string) => {
        if (text !== undefined) {
          answers.push(text);
        }
        left -= 1;
        if (left === 0) {
          answerJson(exchange, 200, `[${answers.join(',')}]`);
        }
      };
      for (const message of messages) {
        if (message.kind !== 'request') {
          live.session.accept(message, request.auth());
        }
      }
      for (const [index, call] of running.entries()) {
        const message = requests[index];
        if (message !== undefined) {
          live.session.request(message, call, partOfBatch(message, live, finish));
        }
      }
      if (requests.length === 0) {
        exchange.answer(202, {});
      }
    },

    async openStream(request) {
      const { exchange, accepts, caller } = request;
      if (!accepts.stream) {
        const words = 'This is a stream: accept text/event-stream.';
        answerFault(exchange, undefined, { status: 406, code: rpcErrorCodes.refused, message: words });
        return;
      }
      const live = (await request.isWithinRate()) ? await sessionOf(request) : undefined;
      if (live === undefined) {
        return;
      }
      const place = request.enterStream(() => stream?.end());
      if (isFault(place)) {
        answerFault(exchange, undefined, place);
        return;
      }
      const { streams } = live.session;
      const lastEventId = headerOf(exchange, 'last-event-id');
      const isPrimed = (live.session.state()?.version ?? '') >= PRIMED_SINCE;
      const stream =
        lastEventId === undefined
          ? streams.openStandalone(exchange, isPrimed)
          : streams.resume(exchange, lastEventId);
      if (stream === undefined) {
        place.leave();
        answerFault(exchange, undefined, {
          status: lastEventId === undefined ? 409 : 400,
          code: rpcErrorCodes.refused,
          message:
            lastEventId === undefined
              ? 'This session has its stream already.'
              : 'The events after this one are no longer kept. Send the request again.',
        });
        return;
      }
      live.session.follow(caller);
      const stopWaiting = whenTokenEnds(caller, () => stream.end());
      exchange.onClose(() => {
        stopWaiting();
        place.leave();
      });
    },

    async endSession({ exchange, caller }) {
      const id = namedSession(exchange);
      if (typeof id !== 'string') {
        answerFault(exchange, undefined, id);
      } else if (await sessions.end(id, caller.id)) {
        exchange.answer(200, {});
      } else {
        answerFault(exchange, undefined, sessionNotFound);
      }
    },
  };
}

function partOfBatch(
  { id }: RequestMessage,
  { session }: LiveSession,
  finish: (text?: string) => void,
): SessionAnswer {
  return {
    notify: (sent) => session.streams.sendStandalone(encodeMessage(sent)),
    respond: (response) => finish(encodeResponse(response, id)),
    abandon: () => finish(),
  };
}
