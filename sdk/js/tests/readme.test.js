// The examples of the README hold: they are laid out as they say, and run.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const library = fileURLToPath(new URL('..', import.meta.url));

test('its skill passes its tests', async () => {
  const text = await readFile(join(library, 'README.md'), 'utf8');
  const examples = [...text.matchAll(/^`([\w./]+)`:\n\n```js\n(.*?)^```/gms)];
  const names = examples.map(([, name]) => name);
  assert.deepEqual(names, ['src/skill.js', 'tests/skill.test.js']);
  const folder = await mkdtemp(join(tmpdir(), 'postern-readme-'));
  try {
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await mkdir(join(folder, 'node_modules'));
    await symlink(library, join(folder, 'node_modules', 'postern'));
    for (const [, name, content] of examples) {
      await mkdir(dirname(join(folder, name)));
      await writeFile(join(folder, name), content);
    }
    // A test that runs in a test would report to that one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const said = execFileSync(process.execPath, ['--test', join(folder, names[1])], {
      cwd: folder,
      encoding: 'utf8',
      env,
      timeout: 60_000,
    });
    assert.match(said, /^(#|ℹ) pass 2$/m);
  } finally {
    await rm(folder, { recursive: true });
  }
});
