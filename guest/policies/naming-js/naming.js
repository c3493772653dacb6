// The rules, without the component around them.

/** What a setting is wrong about; the policy then refuses every call. */
export class SettingError extends Error {}

/** Reads the settings: `mode`, which is `refuse` (the default) or `rewrite`. */
export function readMode(settings) {
  let mode = 'refuse';
  for (const [name, value] of settings) {
    if (name !== 'mode') {
      throw new SettingError(`there is no setting \`${name}\`: this policy knows \`mode\``);
    }
    if (value !== 'refuse' && value !== 'rewrite') {
      throw new SettingError('the setting `mode` is `refuse` or `rewrite`');
    }
    mode = value;
  }
  return mode;
}

/**
 * The key as the convention has it; empty where nothing of it is left.
 *
 * Letters become small. Blanks, and signs of ASCII but `.`, `_` and `-`, become `-`; no
 * segment begins with a sign or ends with `-`.
 */
export function conventional(key) {
  return key
    .split('/')
    .map(segment)
    .filter((kept) => kept !== '')
    .join('/');
}

/** The beginning of a key likewise: it may end within a segment, or after one. */
export function conventionalPrefix(prefix) {
  const start = conventional(prefix);
  return prefix.endsWith('/') && start !== '' ? `${start}/` : start;
}

function segment(text) {
  return text
    .toLowerCase()
    .replace(/(?:[^a-z0-9._\-\u0080-\uffff]|\s)+/g, '-')
    .replace(/-+(?=[._])/g, '')
    .replace(/^[._-]+|-+$/g, '');
}

/** Why a put of this key is refused. */
export function refusal(key) {
  const better = conventional(key);
  const advice =
    better === ''
      ? 'use letters and digits, in segments between "/"'
      : `try ${JSON.stringify(better)}`;
  return `${JSON.stringify(key)} does not follow the naming convention: ${advice}`;
}
