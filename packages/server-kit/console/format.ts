/** A rate or a count, as short as it can be read. */
export function number(value: number): string {
  if (value >= 1_000_000) {
    return `${(value / 1_000_000).toFixed(1)}M`;
  }
  if (value >= 10_000) {
    return `${(value / 1_000).toFixed(1)}k`;
  }
  return value === 0 || value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

export function percent(part: number, whole: number): string {
  if (whole === 0) {
    return '–';
  }
  const value = (part / whole) * 100;
  return `${value === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)}%`;
}

export function seconds(value: number | undefined): string {
  if (value === undefined) {
    return '–';
  }
  if (value < 1) {
    return `${value * 1000 < 10 ? (value * 1000).toFixed(1) : Math.round(value * 1000)} ms`;
  }
  return value < 10 ? `${value.toFixed(2)} s` : duration(value);
}

/** A long time in its two largest units. */
export function duration(value: number): string {
  const total = Math.round(value);
  const parts = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor((total % 86_400) / 3_600), 'h'],
    [Math.floor((total % 3_600) / 60), 'min'],
    [total % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first === -1 ? [] : parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.length === 0 ? '0 s' : shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

export function bytes(value: number | undefined): string {
  if (value === undefined) {
    return '–';
  }
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${scaled >= 100 || power === 0 ? Math.round(scaled) : scaled.toFixed(1)} ${units[power] ?? ''}`;
}

/** The time of day of an instant, where the reader is. */
export function clock(time: string | number): string {
  return new Date(time).toLocaleTimeString([], { hour12: false });
}
