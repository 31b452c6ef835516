import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reply } from 'postern';
import { FakeHost } from 'postern/fake';

import { tools } from '../src/skill.js';

function box(state) {
  const host = new FakeHost();
  host.setRecord('subscriptions', 'S-1001', { user_id: 'ada', what: 'a vegetable box', state });
  return host;
}

const pause = (host) => host.call(tools, 'pause_subscription', { subscription_id: 'S-1001' });

test('pausing changes the state and nothing else, and twice is once', async () => {
  const host = box('active');
  const done = 'Done. Subscription S-1001 (a vegetable box) is paused.';
  assert.deepEqual(await pause(host), reply(done));
  const paused = { user_id: 'ada', what: 'a vegetable box', state: 'paused' };
  assert.deepEqual(host.record('subscriptions', 'S-1001'), paused);

  const again = 'Subscription S-1001 (a vegetable box) is paused already.';
  assert.deepEqual(await pause(host), reply(again));
  assert.equal(host.calls.filter(({ action }) => action === 'records:write').length, 1);
});

test('a change by somebody else in between is told', async () => {
  const host = box('active');
  host.failWhen(({ action }) => action === 'records:write', 'conflict');
  assert.match((await pause(host)).text, /was changed by somebody else just now/);
});
