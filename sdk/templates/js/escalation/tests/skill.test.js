import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reply } from 'postern';
import { FakeHost } from 'postern/fake';

import { tools } from '../src/skill.js';

test('a fault becomes a ticket and goes to a person', async () => {
  const host = new FakeHost();
  const context = { settings: { promise: 'by tonight' } };
  const outcome = await host.call(tools, 'report_fault', { part: 'WATER' }, context);
  const said = 'I have reported the water. A person will answer you here by tonight.';
  assert.deepEqual(outcome, reply(said));
  const actions = host.calls.map(({ action }) => action);
  const expected = ['ticket:create', 'ticket:tag', 'ticket:comment', 'handover:request'];
  assert.deepEqual(actions, expected);
  assert.equal(host.calls[3].severity, 'high');
});
