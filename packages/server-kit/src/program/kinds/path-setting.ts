import { fileURLToPath } from 'node:url';

import { z } from 'zod';

/** The schema of a variable that names a file or directory. What only a shell would understand is refused. */
export function pathSetting(): z.ZodType<string> {
  return z.string().superRefine((text, context) => {
    const problem = pathProblem(text);
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', message: problem });
    }
  });
}

/** Why this cannot be meant as a path, with what to write instead. */
export function pathProblem(text: string): string | undefined {
  if (/^~(?:[\w.-]*)(?:[/\\]|$)/u.test(text)) {
    return `starts with "~", which only a shell replaces: write the whole path, such as /home/name${text.replace(/^~[^/\\]*/u, '')}`;
  }
  if (/^\$\w+|^%\w+%|^\$env:/u.test(text)) {
    return 'starts with a variable, which only a shell replaces: write the whole path';
  }
  const url = /^[a-z][a-z0-9+.-]+:\/\//iu.test(text) ? URL.parse(text) : null;
  if (url !== null || text.toLowerCase().startsWith('file:')) {
    return `must be a path, not a URL${url?.protocol === 'file:' ? `: write ${pathOf(url)}` : ''}`;
  }
  return undefined;
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    // A share of another machine, on a platform that has none.
    return url.pathname;
  }
}
