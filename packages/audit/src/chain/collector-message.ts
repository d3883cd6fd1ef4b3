import { z } from 'zod';

import { auditCheckpointSchema } from './checkpoint.ts';
import { auditEventSchema } from '../event/event.ts';

/** Checks one element of what the collector sink sends: an event or a checkpoint. */
export const auditRecordSchema = z.union([auditEventSchema, auditCheckpointSchema]);
