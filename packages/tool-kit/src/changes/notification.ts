import type { JsonObject } from '../json.ts';
import type { Change } from './change-listener.ts';

/** A change as the revisions of both eras tell it. */
export function notificationOf(change: Change): { readonly method: string; readonly params: JsonObject } {
  return 'uri' in change
    ? { method: 'notifications/resources/updated', params: { uri: change.uri } }
    : { method: `notifications/${change.list}/list_changed`, params: {} };
}
