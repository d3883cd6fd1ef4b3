type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | undefined>>;

/** An element with attributes and children; text is text, whatever is in it. */
export function element(
  tag: string,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElement {
  return filled(document.createElement(tag), attributes, children);
}

function filled<E extends Element>(node: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) {
      node.setAttribute(name, value);
    }
  }
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

function shape(tag: string, attributes: Attributes, ...children: readonly Child[]): SVGElement {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

const WIDTH = 120;
const HEIGHT = 32;

/** A small chart of the last two minutes. It repeats a number that stands beside it, so it is hidden from screen readers. */
export function sparkline(values: readonly number[], kind = ''): SVGElement {
  const frame = {
    class: `spark ${kind}`,
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    'aria-hidden': 'true',
    preserveAspectRatio: 'none',
  };
  if (values.length < 2) {
    return shape('svg', frame);
  }
  const top = Math.max(...values, Number.MIN_VALUE);
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * WIDTH;
    const y = HEIGHT - 1.5 - (value / top) * (HEIGHT - 5);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const line = points.join(' ');
  return shape(
    'svg',
    frame,
    shape('polygon', { class: 'area', points: `0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}` }),
    shape('polyline', { class: 'line', points: line, 'vector-effect': 'non-scaling-stroke' }),
  );
}

/** A word in a colour, with a sign that says the same to who sees no colours. */
export function badge(text: string, kind: 'good' | 'warn' | 'bad' | 'quiet'): HTMLElement {
  return element('span', { class: `badge ${kind}` }, text);
}

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** A table whose cells are text or elements. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly (string | Node)[])[],
  empty: string,
): HTMLElement {
  if (rows.length === 0) {
    return element('p', { class: 'empty' }, empty);
  }
  const of = (index: number) => (columns[index]?.isNumber === true ? 'number' : undefined);
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...columns.map(({ title }, index) => element('th', { scope: 'col', class: of(index) }, title)),
      ),
    ),
    element(
      'tbody',
      {},
      ...rows.map((row) =>
        element('tr', {}, ...row.map((cell, index) => element('td', { class: of(index) }, cell))),
      ),
    ),
  );
}

/** Puts new content into a part of the page, unless it looks as it did: what is selected or read aloud stays. */
export function show(id: string, ...children: readonly Node[]): void {
  const place = document.getElementById(id);
  const next = element('div', {}, ...children);
  if (place !== null && place.innerHTML !== next.innerHTML) {
    place.replaceChildren(...next.childNodes);
  }
}
