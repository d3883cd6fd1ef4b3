import { z } from 'zod';

/**
 * What identifies somebody is compared, logged and audited, so it holds nothing that cannot be seen or told apart: no
 * control, format (bidirectional, zero-width) or filler character, no half of a pair, and no sign that the text was broken.
 */
const IDENTIFIER = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\uFFFD]+$/u;
/** Names of people need joiners in some scripts; what would turn text around or break a line is still refused. */
const LABEL = /^[^\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\uFFFD]+$/u;

/** A name that somebody or something is known by. */
export const identifierText = (maxLength: number) => z.string().min(1).max(maxLength).regex(IDENTIFIER);

/** A name for display: one that cannot be shown is left out. */
export const labelText = z.string().min(1).max(200).regex(LABEL).optional().catch(undefined);
