import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { parseClosedDocument } from '../document-file.ts';
import { covers, PERMISSION_NAME, PERMISSION_PATTERN } from './permission-pattern.ts';

const permissionName = z.string().regex(PERMISSION_NAME, 'must look like "area:action", in lower case');
const pattern = z.string().regex(PERMISSION_PATTERN, '"*" may only be the whole last segment');
const name = z.string().min(1).max(512);
const scopeName = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'is not an OAuth scope (RFC 6749 §3.3)');
const allow = z.array(pattern).min(1);

/** The policy file: who may do what. Strict: an unknown key, group, scope or permission is an error. */
export const policyDocumentSchema = z
  .strictObject({
    version: z.literal(1),
    /** Every permission there is. */
    permissions: z.array(permissionName).min(1),
    /** Every group this document speaks of, as the directory spells it. */
    groups: z.array(name),
    /** Who gets what. A `service` is an OAuth client id, at `issuer` when there are several; `allow` takes `area:*` for all that starts with `area:`. */
    grants: z.array(
      z.union(
        [
          z.strictObject({ group: name, allow }),
          z.strictObject({ service: name, issuer: name.optional(), allow }),
        ],
        { error: 'must be { group, allow } or { service, issuer?, allow }' },
      ),
    ),
    /**
     * Conditions per permission that no grant and no wildcard beats: all of the groups and all of the scopes. `fresh`:
     * decided on groups that have just been looked up, and refused while they cannot be.
     */
    require: z
      .record(
        z.string(),
        z
          .strictObject({
            allGroups: z.array(name).min(1),
            scopes: z.array(scopeName).min(1),
            fresh: z.literal(true),
          })
          .partial(),
      )
      .optional(),
    /** What a scope of the token covers. A scope with the name of a permission covers that one without being listed. */
    scopes: z.record(scopeName, allow).optional(),
  })
  .superRefine(checkReferences);

/** The policy document, as written in YAML, JSON or code. */
export type PolicyDocument = z.infer<typeof policyDocumentSchema>;

/**
 * Reads a policy from a YAML or JSON file once; pass the result to `createPolicy`. The last line of a YAML file is `...`:
 * without it, a file that was cut off, perhaps before its `require`, would allow more than the whole one.
 * @throws {TypeError} naming the file, the key and the problem, one line each; the file system's error when unreadable
 */
export async function loadPolicy(path: string): Promise<PolicyDocument> {
  return parsePolicy(await readFile(path, 'utf8'), path);
}

/** The policy in the text of the file `path`. @throws {TypeError} as {@link loadPolicy} does */
export function parsePolicy(text: string, path: string): PolicyDocument {
  return parseClosedDocument(text, policyDocumentSchema, path);
}

function checkReferences(document: PolicyDocument, context: z.RefinementCtx): void {
  const report = (path: PropertyKey[], message: string): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  const groups = new Set(document.groups);
  const permissions = new Set(document.permissions);
  const scopes = new Set([...permissions, ...Object.keys(document.scopes ?? {})]);

  const checkPatterns = (patterns: readonly string[], path: PropertyKey[]): void => {
    for (const [index, entry] of patterns.entries()) {
      if (!document.permissions.some((permission) => covers(entry, permission))) {
        report([...path, index], `${JSON.stringify(entry)} covers nothing in permissions`);
      }
    }
  };
  const checkGroup = (group: string, path: PropertyKey[]): void => {
    if (!groups.has(group)) {
      report(path, `${JSON.stringify(group)} is not in groups`);
    }
  };

  for (const [index, grant] of document.grants.entries()) {
    if ('group' in grant) {
      checkGroup(grant.group, ['grants', index, 'group']);
    }
    checkPatterns(grant.allow, ['grants', index, 'allow']);
  }
  for (const [permission, rule] of Object.entries(document.require ?? {})) {
    const path = ['require', permission];
    // A wildcard here would be read as "all of them" by one person and "any of them" by the next.
    if (!permissions.has(permission)) {
      report(path, 'is not in permissions');
    }
    if (Object.keys(rule).length === 0) {
      report(path, 'requires nothing');
    }
    for (const [index, group] of (rule.allGroups ?? []).entries()) {
      checkGroup(group, [...path, 'allGroups', index]);
    }
    for (const [index, scope] of (rule.scopes ?? []).entries()) {
      if (!scopes.has(scope)) {
        report([...path, 'scopes', index], `${JSON.stringify(scope)} is neither in scopes nor a permission`);
      }
    }
  }
  for (const [scope, patterns] of Object.entries(document.scopes ?? {})) {
    checkPatterns(patterns, ['scopes', scope]);
  }
}
