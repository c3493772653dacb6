// The component: asks the rules, and passes on to the next store.
import * as next from 'agent:artifacts/store@0.2.0';
import { getAll } from 'wasi:config/store@0.2.0-rc.1';

import { SettingError, conventional, conventionalPrefix, readMode, refusal } from './naming.js';

function denied(message) {
  return { code: 'policy-denied', message, retryable: false };
}

function mode() {
  try {
    return readMode(getAll());
  } catch (error) {
    if (error instanceof SettingError) throw denied(error.message);
    throw error;
  }
}

/** The key as the next store knows it. Only a put can be refused for its name: what is
 * there already stays within reach. */
function known(key, write = false) {
  const better = conventional(key);
  const rewrite = mode() === 'rewrite';
  if (better === '' ? rewrite || write : better !== key && write && !rewrite) {
    throw denied(refusal(key));
  }
  return rewrite ? better : key;
}

export const store = {
  put: (key, body, options) => next.put(known(key, true), body, options),
  get: (key, options) => next.get(known(key), options),
  head: (key, options) => next.head(known(key), options),
  delete: (key, options) => next.delete(known(key), options),
  list(options) {
    if (mode() === 'refuse') return next.list(options);
    const { prefix, startAfter } = options;
    return next.list({
      ...options,
      prefix: conventionalPrefix(prefix),
      startAfter: startAfter === undefined ? undefined : conventional(startAfter),
    });
  },
};
