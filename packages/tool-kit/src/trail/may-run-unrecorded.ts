/** Whether a call may run although the trail cannot record it. */
export function mayRunUnrecorded({
  readOnly,
  onUnavailable = 'allow-reads',
}: {
  readonly readOnly: boolean;
  readonly onUnavailable?: 'deny' | 'allow-reads' | 'allow' | undefined;
}): boolean {
  switch (onUnavailable) {
    case 'deny':
      return false;
    case 'allow-reads':
      return readOnly;
    case 'allow':
      return true;
    default:
      return onUnavailable satisfies never;
  }
}
