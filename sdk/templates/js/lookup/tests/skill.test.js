import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, reply } from 'postern';
import { FakeHost } from 'postern/fake';

import { tools } from '../src/skill.js';

const BOOKING = { user_id: 'ada', what: 'Bicycle check', when: 'Monday', status: 'confirmed' };

test('a booking is told', async () => {
  const host = new FakeHost();
  host.setRecord('bookings', 'B-1001', BOOKING);
  const outcome = await host.call(tools, 'booking_status', { booking_id: 'B-1001' });
  assert.deepEqual(outcome, reply('Booking B-1001: Bicycle check, Monday. It is confirmed.'));
});

test('one that the rules keep back looks like one that does not exist', async () => {
  const question = 'I cannot find booking B-1001 among yours. Which number is it?';
  const host = new FakeHost();
  const missing = await host.call(tools, 'booking_status', { booking_id: 'B-1001' });
  assert.deepEqual(missing, ask('booking_id', question));

  host.setRecord('bookings', 'B-1001', BOOKING);
  host.failWhen(({ action }) => action === 'records:get', 'denied');
  const denied = await host.call(tools, 'booking_status', { booking_id: 'B-1001' });
  assert.deepEqual(denied, missing);
});
