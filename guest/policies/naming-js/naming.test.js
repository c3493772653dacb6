import assert from 'node:assert/strict';
import { test } from 'node:test';

import { conventional, conventionalPrefix, readMode, refusal } from './naming.js';

test('a key that follows the convention stays as it is', () => {
  for (const key of ['a', 'reports/2026/q3-summary.pdf', 'a_b/c.d-e']) {
    assert.equal(conventional(key), key);
  }
});

test('another key becomes one that does', () => {
  const cases = {
    'Reports/Q3 Übersicht (final).PDF': 'reports/q3-übersicht-final.pdf',
    '//a//b/': 'a/b',
    'non\u00a0breaking': 'non-breaking',
    '.hidden/-x': 'hidden/x',
    '日本/語': '日本/語',
    '!/ /_': '',
  };
  for (const [key, better] of Object.entries(cases)) {
    assert.equal(conventional(key), better, key);
    assert.equal(conventional(better), better, 'once is enough');
  }
});

test('the beginning of a key finds what begins with it', () => {
  assert.equal(conventionalPrefix('Reports/'), 'reports/');
  assert.equal(conventionalPrefix('Reports/Q3 '), 'reports/q3');
  assert.equal(conventionalPrefix(''), '');
});

test('a refusal says what would do', () => {
  assert.equal(refusal('A b'), '"A b" does not follow the naming convention: try "a-b"');
  assert.match(refusal('!'), /: use letters/);
});

test('a setting that is wrong or unknown is an error', () => {
  assert.equal(readMode([]), 'refuse');
  assert.equal(readMode([['mode', 'rewrite']]), 'rewrite');
  assert.throws(() => readMode([['mode', 'rewriet']]), /`refuse` or `rewrite`/);
  assert.throws(() => readMode([['mod', 'rewrite']]), /no setting `mod`/);
});
