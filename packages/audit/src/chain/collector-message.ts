import { z } from 'zod';

import { auditEventSchema } from '../event/event.ts';
import { auditCheckpointSchema } from './checkpoint.ts';

/** Checks one element of what the collector sink sends: an event or a checkpoint. */
export const auditRecordSchema = z.union([auditEventSchema, auditCheckpointSchema]);
