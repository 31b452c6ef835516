import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reply } from 'postern';
import { FakeHost } from 'postern/fake';

import { tools } from '../src/skill.js';

const URL = 'https://status.example/v1/areas/north';
const context = { settings: { status_url: 'https://status.example' } };

const said = (host) => host.call(tools, 'service_state', { area: 'NORTH' }, context);

test('what the server says is told in one line', async () => {
  const host = new FakeHost();
  host.answer('get', URL, { json: { state: 'maintenance', note: '<b>Until noon.\n' } });
  assert.deepEqual(await said(host), reply('There is maintenance in the north. bUntil noon.'));
});

test('a server that is silent or busy gets a civil answer', async () => {
  const host = new FakeHost();
  const silent = await said(host);
  assert.match(silent.text, /^I cannot see at the moment/);
  host.answer('get', URL, { status: 503 });
  assert.deepEqual(await said(host), silent);
});
