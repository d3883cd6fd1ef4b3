import { z } from 'zod';

// The words reach a model as "<argument>: <message>", so a message is what stands after "service:".
const SERVICE_MESSAGE = 'must be 3-50 characters of a-z, 0-9 and -';
const VERSION_MESSAGE = 'must be a semantic version such as 2.4.1 or 2.5.0-rc.1, without a leading v';
const ENVIRONMENT_MESSAGE = 'must be development, staging or production';
const IDEMPOTENCY_KEY_MESSAGE = 'must be 8-100 characters of A-Z, a-z, 0-9, _ and -';
const SEARCH_MESSAGE = 'must be 1-50 characters';

// https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
const SEMANTIC_VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;
const MAX_VERSION_LENGTH = 64;

/** A service's name. A model takes it from a list, so the list of tools need not say how one looks. */
export const serviceSchema = z
  .string(SERVICE_MESSAGE)
  .refine((name) => /^[a-z0-9-]{3,50}$/.test(name), SERVICE_MESSAGE)
  .describe('As list_services gives it.');

/** Where a service runs. */
export const environmentSchema = z
  .enum(['development', 'staging', 'production'], ENVIRONMENT_MESSAGE)
  .describe('Where to.');

/** A version by semver.org. A refinement keeps its 200 characters of pattern out of every `tools/list`. */
export const versionSchema = z
  .string(VERSION_MESSAGE)
  .refine((text) => text.length <= MAX_VERSION_LENGTH && SEMANTIC_VERSION.test(text), VERSION_MESSAGE)
  .describe('Semantic version, e.g. 2.4.1.');

/** Which version of which service goes where. */
export const deploymentTargetSchema = z.strictObject({
  service: serviceSchema,
  version: versionSchema,
  environment: environmentSchema,
});

/** Which version of which service goes where. */
export type DeploymentTarget = z.output<typeof deploymentTargetSchema>;

const REGION_MESSAGE = 'must be 1-20 different regions of the environment';

/** Where, and in which order. Refinements keep its limits out of every `tools/list`. */
export const regionsSchema = z
  .array(z.string(REGION_MESSAGE), REGION_MESSAGE)
  .refine((regions) => regions.length >= 1 && regions.length <= 20, REGION_MESSAGE)
  .refine((regions) => new Set(regions).size === regions.length, REGION_MESSAGE)
  .describe('In this order; default all.');

/** Makes a repeated trigger the same deployment. */
export const idempotencyKeySchema = z
  .string(IDEMPOTENCY_KEY_MESSAGE)
  .refine((key) => /^[\w-]{8,100}$/.test(key), IDEMPOTENCY_KEY_MESSAGE)
  .describe('Unique, of 8-100 characters A-Z, a-z, 0-9, _ and -. The same key returns the first task.');

/** A part of a service's name or description. */
export const searchSchema = z
  .string(SEARCH_MESSAGE)
  .min(1, SEARCH_MESSAGE)
  .max(50, SEARCH_MESSAGE)
  .describe('1-50 characters of name or description.');

/** The outcome of all prerequisite checks; `ready` when none failed. A check that had no answer is `unknown` and counts as failed. */
export const prerequisitesSchema = z.object({
  ready: z.boolean(),
  passed: z.array(z.string()),
  failed: z.array(
    z.object({
      check: z.string(),
      status: z.enum(['failed', 'unknown']),
      reason: z.string(),
      nextStep: z.string(),
    }),
  ),
  nextStep: z.string(),
});

/** The outcome of all prerequisite checks. */
export type Prerequisites = z.output<typeof prerequisitesSchema>;
