import { defineConfig } from 'tsup';

import { bundle } from '../../tsup.bundle.ts';

export default defineConfig(bundle);
