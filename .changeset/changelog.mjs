// How a changelog reads: what each change means for a user, as its changeset says it, and which of our packages came
// along, once. Without commit ids: a reader of a changelog has no use for them.

/** The lines of a changelog for one changeset. */
export async function getReleaseLine({ summary }) {
  // A text that is a list already needs no bullet before it.
  return /^[-*] /u.test(summary)
    ? summary
    : `- ${summary.replaceAll('\n', '\n  ').replaceAll(/^ +$/gmu, '')}`;
}

/** The line that says which packages were released with this one. */
export async function getDependencyReleaseLine(_changesets, dependencies) {
  const names = dependencies.map(({ name, newVersion }) => `\`${name}\` ${newVersion}`);
  return names.length === 0 ? '' : `- Goes with ${names.join(', ')}.`;
}
