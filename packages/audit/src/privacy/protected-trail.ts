import type { AuditTrail } from '../audit-trail.ts';
import type { AuditActor } from '../event/event.ts';
import { silentLogger, type Logger } from '../logger.ts';
import type { Digest } from './digest.ts';
import type { PersonalKeys } from './personal-keys.ts';

/** The keys that keep data out of the trail, or out of reach in it. */
export interface ProtectedTrailOptions {
  /** Seals names and e-mail addresses of actors. @default they are left out */
  readonly personalKeys?: PersonalKeys | undefined;
  /** Recognises arguments whose values are not kept; from `createDigest`. @default only their names are kept */
  readonly digest?: Digest | undefined;
  /** Told when a name could not be sealed and was left out. @default nobody */
  readonly logger?: Logger | undefined;
}

/** @throws {TypeError} for an option that is none of its kind */
function resolveProtectedTrailOptions({
  personalKeys,
  digest,
  logger = silentLogger,
}: ProtectedTrailOptions) {
  if (personalKeys !== undefined && typeof personalKeys.seal !== 'function') {
    throw new TypeError(`personalKeys must have a function seal, got ${typeof personalKeys.seal}`);
  }
  if (digest !== undefined && typeof digest !== 'function') {
    throw new TypeError(`digest must be a function, got ${typeof digest}`);
  }
  return { personalKeys, digest, logger };
}

/** A trail that can also make digests of arguments. */
export type ProtectedAuditTrail = AuditTrail & { readonly digest?: Digest | undefined };

/**
 * Wraps a trail so that no name and no e-mail address is stored in clear. The actor's id stays: it says who did
 * what, and leads to a person only through the identity provider. A name that cannot be sealed is left out: who did
 * it is on record by the id, and a missing key stops no work.
 * @throws {TypeError} for an option that is none of its kind
 */
export function createProtectedTrail(trail: AuditTrail, options: ProtectedTrailOptions): ProtectedAuditTrail {
  const { personalKeys, digest, logger } = resolveProtectedTrailOptions(options);
  return {
    ...trail,
    digest,
    async begin(intent) {
      return trail.begin({ ...intent, actor: await protectActor(intent.actor, personalKeys, logger) });
    },
    async refuse(intent, outcome) {
      const actor = await protectActor(intent.actor, personalKeys, logger);
      await trail.refuse({ ...intent, actor }, outcome);
    },
  };
}

async function protectActor(
  actor: AuditActor,
  keys: PersonalKeys | undefined,
  logger: Logger,
): Promise<AuditActor> {
  if (actor.kind === 'anonymous') {
    return actor;
  }
  const { id, kind, groups, displayName, email } = actor;
  const isNamed = displayName !== undefined || email !== undefined;
  if (keys === undefined || !isNamed) {
    return { id, kind, groups };
  }
  try {
    return { id, kind, groups, sealed: await keys.seal(id, { displayName, email }) };
  } catch (error) {
    logger.error({ err: error }, 'a name could not be sealed and was left out of the audit trail');
    return { id, kind, groups };
  }
}
