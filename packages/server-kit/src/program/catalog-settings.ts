import { booleanSetting } from './kinds/choice-setting.ts';
import { listSetting } from './kinds/list-setting.ts';
import { nearest } from './kinds/nearest.ts';
import type { Settings } from './settings.ts';

/** The settings of what a server offers, whose definitions are in these toolsets; spread them into your own. */
export function catalogSettings(toolsets: readonly string[]) {
  return {
    READ_ONLY: {
      description: 'Whether only tools that change nothing are offered: true or false',
      schema: booleanSetting(false),
      flag: { name: 'read-only', isSwitch: true },
    },
    TOOLSETS: {
      description: `The toolsets that are offered, separated by commas, of ${toolsets.join(', ')}. Without it, all of them`,
      schema: listSetting((text) =>
        toolsets.includes(text) ? { value: text } : { problem: problemOf(text, toolsets) },
      ).optional(),
      flag: { name: 'toolsets', isSwitch: false },
    },
  } satisfies Settings;
}

function problemOf(text: string, toolsets: readonly string[]): string {
  const near = nearest(text, toolsets);
  return `must be one of ${toolsets.join(', ')}${near === undefined ? '' : `: write ${near}`}`;
}
