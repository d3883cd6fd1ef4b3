import type { z } from 'zod';

import type { AuditDetails } from '../definition/audit-details.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { AuditTrail } from '../ports.ts';
import { HiddenTexts } from './hidden-texts.ts';
import { planPrivacy, stricter, type Privacy, type PrivacyPlan } from './privacy-plan.ts';

/** What the trail may keep of the arguments of one call. */
export interface RecordedArguments extends AuditDetails {
  /** The names of the arguments that were given, as the schema spells them. */
  readonly argumentNames?: readonly string[] | undefined;
  /** Keyed digests of arguments whose values are not kept, by name. */
  readonly argumentDigests?: Readonly<Record<string, string>> | undefined;
}

/** Decides, for one call, what of its parsed arguments is written down. */
export type ArgumentRecorder = (
  input: unknown,
  details: AuditDetails,
  audit?: Pick<AuditTrail, 'digest'>,
) => RecordedArguments;

const WITHHELD = '[withheld]';

/**
 * Works out once what of a schema's values may be written down. What the definition's `audit` returned stays in
 * clear; of every other argument the name is kept and, where `audit` has a key, a digest. The schema has the last
 * word: a field with `.meta({ sensitive: true })` is never in clear, one with `.meta({ secret: true })` has no digest
 * either, and their values are taken out of the details wherever they turn up.
 */
export function argumentRecorder(schema: z.ZodType): ArgumentRecorder {
  const plan = planPrivacy(schema);
  return (input, details, audit = {}) => {
    if (typeof input !== 'object' || input === null) {
      return details;
    }
    const hidden = plan.isAnnotated ? new HiddenTexts() : undefined;
    const argumentNames: string[] = [];
    let argumentDigests: Record<string, string> | undefined;
    for (const [name, value] of Object.entries(input)) {
      const field = plan.fields.get(name);
      const privacy = hidden && hide(value, field ?? plan.others, plan.privacy, hidden);
      // A name that the schema does not know is the client's own words.
      if (field === undefined || value === undefined) {
        continue;
      }
      argumentNames.push(name);
      const isClear = privacy === undefined && Object.hasOwn(details.arguments ?? {}, name);
      if (audit.digest === undefined || isClear || privacy === 'secret') {
        continue;
      }
      argumentDigests ??= {};
      argumentDigests[name] = audit.digest(name, typeof value === 'string' ? value : JSON.stringify(value));
    }
    return {
      resource: details.resource && withholdText(details.resource, hidden),
      arguments: details.arguments && clearOf(details.arguments, plan, hidden),
      urgent: details.urgent,
      argumentNames,
      argumentDigests: audit.digest && (argumentDigests ?? {}),
    };
  };
}

/** Removes the annotations from a JSON Schema node: they are for the trail, and a model pays for each word. */
export function withoutPrivacy(node: Record<string, unknown>): void {
  delete node['sensitive'];
  delete node['secret'];
}

/** What is undefined is left out, as JSON does. */
function clearOf(clear: JsonObject, plan: PrivacyPlan, hidden: HiddenTexts | undefined): JsonObject {
  if (hidden === undefined && !Object.values(clear).includes(undefined)) {
    return clear;
  }
  return Object.fromEntries(
    Object.entries(clear).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [[withholdText(name, hidden), clearMember(name, value, plan, hidden)] as const],
    ),
  );
}

function clearMember(
  name: string,
  value: JsonValue,
  plan: PrivacyPlan,
  hidden: HiddenTexts | undefined,
): JsonValue {
  if (hidden === undefined) {
    return value;
  }
  return plan.privacy === undefined
    ? withhold(value, plan.fields.get(name) ?? plan.others, hidden)
    : WITHHELD;
}

function withhold(value: JsonValue, plan: PrivacyPlan | undefined, hidden: HiddenTexts): JsonValue {
  if (plan?.privacy !== undefined) {
    return WITHHELD;
  }
  if (typeof value === 'string') {
    return withholdText(value, hidden);
  }
  if (typeof value === 'number') {
    return hidden.isIn(String(value)) ? WITHHELD : value;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item: JsonValue, index) => withhold(item, plan?.itemAt(index), hidden));
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === undefined
        ? []
        : [[withholdText(name, hidden), withhold(member, plan?.fields.get(name) ?? plan?.others, hidden)]],
    ),
  );
}

function withholdText(text: string, hidden: HiddenTexts | undefined): string {
  return hidden?.isIn(text) === true ? WITHHELD : text;
}

/** Hides every text and number that an annotation, its own or of something around it, protects; tells the strictest. */
function hide(
  value: unknown,
  plan: PrivacyPlan | undefined,
  inherited: Privacy | undefined,
  hidden: HiddenTexts,
): Privacy | undefined {
  const own = stricter(inherited, plan?.privacy);
  if (own === undefined && plan?.isAnnotated !== true) {
    return undefined;
  }
  let found = own;
  if (typeof value === 'string' || typeof value === 'number') {
    if (own !== undefined && value !== '') {
      hidden.add(String(value));
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      found = stricter(found, hide(item, plan?.itemAt(index), own, hidden));
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (plan?.keys !== undefined) {
        found = stricter(found, hide(name, plan.keys, own, hidden));
      }
      found = stricter(found, hide(member, plan?.fields.get(name) ?? plan?.others, own, hidden));
    }
  }
  return found;
}
