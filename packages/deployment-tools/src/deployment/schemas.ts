import { z } from 'zod';

// The words reach a model as "<argument>: <message>", so a message is what stands after "service:".
const serviceMessage = 'must be 3-50 characters of a-z, 0-9 and -';
const versionMessage = 'must be a semantic version such as 2.4.1 or 2.5.0-rc.1, without a leading v';
const environmentMessage = 'must be development, staging or production';
const idempotencyKeyMessage = 'must be 8-100 characters of A-Z, a-z, 0-9, _ and -';
const taskIdMessage = 'must be a taskId that trigger_deployment returned';
const searchMessage = 'must be 1-50 characters';

// https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
const semanticVersion =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;
const MAX_VERSION_LENGTH = 64;

/** A service's name. */
export const serviceSchema = z
  .string(serviceMessage)
  .regex(/^[a-z0-9-]{3,50}$/, serviceMessage)
  .describe('Service name as list_services gives it.');

/** Where a service runs. */
export const environmentSchema = z
  .enum(['development', 'staging', 'production'], environmentMessage)
  .describe('Target environment.');

/** A version by semver.org. A refinement keeps its 200 characters of pattern out of every `tools/list`. */
export const versionSchema = z
  .string(versionMessage)
  .refine((text) => text.length <= MAX_VERSION_LENGTH && semanticVersion.test(text), versionMessage)
  .describe('Semantic version, e.g. 2.4.1.');

/** Which version of which service goes where. */
export const deploymentTargetSchema = z.strictObject({
  service: serviceSchema,
  version: versionSchema,
  environment: environmentSchema,
});

/** Which version of which service goes where. */
export type DeploymentTarget = z.output<typeof deploymentTargetSchema>;

/** Makes a repeated trigger the same deployment. */
export const idempotencyKeySchema = z
  .string(idempotencyKeyMessage)
  .regex(/^[\w-]{8,100}$/, idempotencyKeyMessage)
  .describe('Any unique text. A repeated call with the same key returns the first task.');

/** The id of a deployment task. */
export const taskIdSchema = z
  .string(taskIdMessage)
  .regex(/^[\w-]{1,100}$/, taskIdMessage)
  .describe('The taskId from trigger_deployment.');

/** A part of a service's name or description. */
export const searchSchema = z
  .string(searchMessage)
  .min(1, searchMessage)
  .max(50, searchMessage)
  .describe('Only services with this text in name or description.');

/** The outcome of all prerequisite checks; `ready` when none failed. A check that had no answer is `unknown` and counts as failed. */
export const prerequisitesSchema = z.object({
  ready: z.boolean(),
  passed: z.array(z.object({ check: z.string(), detail: z.string() })),
  failed: z.array(
    z.object({
      check: z.string(),
      status: z.enum(['failed', 'unknown']),
      reason: z.string(),
      nextStep: z.string(),
    }),
  ),
});

/** The outcome of all prerequisite checks. */
export type Prerequisites = z.output<typeof prerequisitesSchema>;
