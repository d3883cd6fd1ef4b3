/** What a project has of the parts that are not in every one, such as `http` and `audit`. */
export type Features = ReadonlySet<string>;

const MARKER = /^\s*(?:\/\/|#|<!--)\s*<(?<end>\/?)(?<feature>!?[a-z]+)>\s*(?:-->)?\s*$/u;

/**
 * The text of a template for a project with these features: what stands between `// <http>` and `// </http>` is for
 * those that have `http`, between `# <!http>` and `# </!http>` for the others.
 *
 * @throws {Error} when a section does not end where it must: the template is wrong.
 */
export function textFor(template: string, features: Features): string {
  const open: string[] = [];
  const lines: string[] = [];
  for (const line of template.split('\n')) {
    const groups = MARKER.exec(line)?.groups;
    const feature = groups?.['feature'];
    if (feature === undefined) {
      if (open.every((name) => hasFeature(features, name))) {
        lines.push(line);
      }
    } else if (groups?.['end'] === '') {
      open.push(feature);
    } else if (open.pop() !== feature) {
      throw new Error(`</${feature}> ends what does not stand open`);
    }
  }
  if (open.length > 0) {
    throw new Error(`<${open.join('>, <')}> has no end`);
  }
  return tidy(lines.join('\n'));
}

/** Whether a project has a feature, or for `!http`, has it not. */
export function hasFeature(features: Features, name: string): boolean {
  return name.startsWith('!') ? !features.has(name.slice(1)) : features.has(name);
}

/** What is left when sections are gone: no two empty lines in a row, and no empty braces over two lines. */
function tidy(text: string): string {
  return text
    .replaceAll(/\{\n\s*\}/gu, '{}')
    .replaceAll(/\n{3,}/gu, '\n\n')
    .replace(/\n+$/u, '\n');
}
