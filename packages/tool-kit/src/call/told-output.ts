import { encodeJson } from '../encoded-json.ts';
import * as failure from './failure/failure.ts';
import type { Operation, OperationResponse, RequestContext, Sealed } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';

/** An output, and what it depends on how it is told. */
interface Output {
  readonly input: Sealed;
  readonly output: Sealed;
  /** As the client named it. */
  readonly target: string;
  readonly request: Pick<RequestContext, 'correlationId' | 'era' | 'client'>;
}

/** The output as it goes to the client, or why it cannot go there; the work is done in either case. */
export function toldOutput(
  operation: Operation,
  { input, output, target, request: { correlationId, era, client } }: Output,
  pipeline: ResolvedPipelineOptions,
): OperationResponse | { readonly failure: failure.CallFailure } {
  const maxBytes = operation.maxOutputBytes ?? pipeline.maxOutputBytes;
  let response: OperationResponse | undefined;
  let problem: failure.OutputProblem;
  try {
    response = operation.respond(output, input, { target, era });
    // A part is encoded with its list.
    const bytes = operation.isPart === true ? 0 : encodeJson(response.result).bytes;
    const formBytes = formBytesOf(operation, maxBytes, client?.name, pipeline);
    if (bytes <= formBytes) {
      return response;
    }
    const shorter = operation.fit?.(output, input, { formBytes, maxBytes });
    if (shorter !== undefined) {
      const fields = { correlationId, target: operation.name, bytes, answerBytes: formBytes };
      pipeline.logger.info(fields, 'answer of a call cut short');
      return shorter;
    }
    if (bytes <= maxBytes) {
      return response;
    }
    problem = { code: 'output_too_large', bytes, maxBytes };
  } catch (error) {
    if (error instanceof failure.CallFailed) {
      throw error;
    }
    const fields = { err: error, correlationId, target: operation.name };
    pipeline.logger.error(fields, 'output of a call not valid');
    problem = { code: 'output_invalid' };
  }
  return {
    failure: operation.readOnly
      ? failure.untoldRead(problem, correlationId)
      : failure.untoldChange(problem, response?.isFailure ?? false, correlationId),
  };
}

/** How much of an answer this client's model is given. */
function formBytesOf(
  { fit, answerBytes: own }: Operation,
  maxBytes: number,
  client: string | undefined,
  { answerBytes, answerBytesByClient }: ResolvedPipelineOptions,
): number {
  if (fit === undefined) {
    return maxBytes;
  }
  const ofClient = client === undefined ? undefined : answerBytesByClient.get(client);
  return Math.min(maxBytes, own ?? answerBytes, ofClient ?? Infinity);
}
