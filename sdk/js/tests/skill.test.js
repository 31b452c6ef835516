import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, done, handOver, log, reply, shape, skill, tool } from 'postern';
import { FakeHost } from 'postern/fake';
import * as handover from 'postern/handover';
import * as http from 'postern/http';
import * as knowledge from 'postern/knowledge';
import * as kv from 'postern/kv';
import * as message from 'postern/message';
import * as model from 'postern/model';
import * as records from 'postern/records';
import * as schedule from 'postern/schedule';
import * as ticket from 'postern/ticket';

const Order = shape.object({ status: shape.string, note: shape.optional(shape.string) });

/** What comes of one tool, on a new host. */
async function run(tried, given = {}, context = {}, prepare = () => {}) {
  const host = new FakeHost();
  prepare(host);
  const outcome = await host.call(skill({ tried }), 'tried', given, context);
  return { host, outcome };
}

const simply = (work) => tool({}, work);

test('arguments are read, and a record, a line and an outcome come of them', async () => {
  const tried = tool({ order_id: shape.string }, ({ order_id }, context) => {
    const { body, version } = records.get('orders', order_id, Order);
    log.info('read', { order: order_id });
    return reply(`${body.status} (${version}), ${context.setting('greeting')}`);
  });
  const { host, outcome } = await run(
    tried,
    { order_id: '#W1' },
    { settings: { greeting: 'bye' } },
    (known) => known.setRecord('orders', '#W1', { status: 'sent', other: 1 }),
  );
  assert.deepEqual(outcome, reply('sent (1), bye'));
  assert.deepEqual(host.calls, [{ action: 'records:get', collection: 'orders', key: '#W1' }]);
  assert.deepEqual(host.log, [{ level: 'info', message: 'read', fields: { order: '#W1' } }]);
});

test('every kind of outcome arrives, from tools that wait too', async () => {
  for (const outcome of [reply('x'), ask('email', 'Which?'), handOver('r', 'high', 't'), done]) {
    assert.deepEqual((await run(simply(() => outcome))).outcome, outcome);
    assert.deepEqual((await run(simply(async () => outcome))).outcome, outcome);
  }
});

test('arguments that do not fit are refused by field and without their value', async () => {
  const tried = tool({ order_id: shape.string, many: shape.optional(shape.integer) }, () => done);
  const refusals = [
    [{}, 'missing field `order_id`'],
    [{ order_id: 7 }, '`order_id`: expected a string'],
    [{ order_id: 'x', many: 'ann@example.com' }, '`many`: expected a whole number'],
    [{ order_id: 'x', id: 1 }, '`id`: expected `order_id` or `many`'],
  ];
  for (const [given, message] of refusals) {
    const { outcome } = await run(tried, given);
    assert.deepEqual(outcome, { kind: 'failure', failure: 'invalid-arguments', message });
  }
  const unknown = await new FakeHost().call(skill({ walk: tried, swim: tried }), 'fly', {});
  assert.equal(unknown.message, 'no tool "fly"; this skill has walk, swim');
});

test('failures of the host become those that the host expects', async () => {
  const kinds = {
    denied: 'denied',
    conflict: 'unavailable',
    unavailable: 'unavailable',
    'not-found': 'internal',
    limited: 'internal',
    // An effect that may have happened must not be asked for again.
    uncertain: 'internal',
  };
  for (const [kind, failure] of Object.entries(kinds)) {
    const read = simply(() => records.get('orders', 'x') && done);
    const fail = (host) => host.failWhen(({ action }) => action === 'records:get', kind, 'why');
    const { host, outcome } = await run(read, {}, {}, fail);
    assert.deepEqual(outcome, { kind: 'failure', failure, message: 'why' }, kind);
    assert.equal(host.log[0].level, 'warn');
  }
});

test('failures can be caught and told apart', async () => {
  const tried = simply(() => {
    try {
      records.get('orders', 'x');
    } catch (error) {
      return reply(`${error.isNotFound} ${error.isDenied} ${error.retryAfterMs}`);
    }
    return done;
  });
  assert.deepEqual((await run(tried)).outcome, reply('true false null'));
});

test('a record of another shape is named by field, a mistake by its kind', async () => {
  const read = simply(() => records.get('orders', 'x', Order) && done);
  const wrong = await run(read, {}, {}, (host) => host.setRecord('orders', 'x', { status: 1 }));
  assert.equal(wrong.outcome.message, 'record of orders: `status`: expected a string');
  const mistakes = { "TypeError: Cannot read properties of undefined (reading 'x')": (_, c) => c.y.x };
  for (const [message, mistake] of Object.entries(mistakes)) {
    assert.equal((await run(simply(mistake))).outcome.message, message);
  }
  const quoted = await run(simply(() => JSON.parse('ann@example.com')));
  assert.equal(quoted.outcome.message, 'SyntaxError');
  assert.match((await run(simply(() => 'text'))).outcome.message, /a tool must answer/);
  const nobody = await run(simply((_, context) => reply(context.customerKey())));
  assert.match(nobody.outcome.message, /not identified/);
});

test('records are written together or not at all', async () => {
  const tried = simply(() => {
    const [made] = records.write(records.create('refunds', 'r', { cents: 5 }));
    const [next] = records.write(records.replace('refunds', 'r', made, { cents: 6 }));
    try {
      records.write(records.create('refunds', 's', {}), records.remove('refunds', 'r', made));
    } catch (error) {
      const found = records.query('refunds', { cents: '6' }, 10).map(({ key }) => key);
      return reply(`${made} ${next} ${error.isConflict} ${found}`);
    }
    return done;
  });
  const { host, outcome } = await run(tried);
  assert.deepEqual(outcome, reply('1 2 true r'));
  assert.equal(host.record('refunds', 's'), undefined);
});

test('one record with the details identifies, two do not', async () => {
  const tried = simply(() => reply(records.identify('users', { 'name.last': 'Ng' }).key));
  const known = (host) => host.setRecord('users', 'u1', { name: { last: 'Ng' } });
  assert.deepEqual((await run(tried, {}, {}, known)).outcome, reply('u1'));
  const two = (host) => (known(host), host.setRecord('users', 'u2', { name: { last: 'Ng' } }));
  assert.equal((await run(tried, {}, {}, two)).outcome.failure, 'internal');
});

test('a request has what it needs, and its answer is read', async () => {
  const url = 'https://carrier.example/v1/x';
  const tried = simply(() => {
    const response = http.post(url, { json: { a: 1 }, secrets: ['token'] });
    const { where } = response.json(shape.object({ where: shape.string }));
    return reply(`${response.ok} ${where} ${response.header('Content-Type')}`);
  });
  const { host, outcome } = await run(tried, {}, {}, (known) =>
    known.answer('post', url, { status: 201, json: { where: 'Ulm' } }),
  );
  assert.deepEqual(outcome, reply('true Ulm application/json'));
  const [{ headers, body, secrets, idempotent }] = host.calls;
  assert.deepEqual([headers, secrets, idempotent], [
    [['content-type', 'application/json']],
    ['token'],
    false,
  ]);
  assert.equal(new TextDecoder().decode(body), '{"a":1}');
  assert.equal((await run(simply(() => http.get(url) && done))).outcome.failure, 'unavailable');
});

test('the smaller interfaces do what they say', async () => {
  const tried = simply(() => {
    kv.setJson('seen', { times: 2 }, 60);
    const seen = kv.getJson('seen', shape.object({ times: shape.integer })).times;
    kv.remove('seen');
    const { id } = ticket.create('Broken', 'p3');
    ticket.tag(id, 'fragile');
    ticket.comment(id, 'glass');
    const changed = ticket.update(id, { priority: 'p1', status: undefined });
    const [past] = ticket.history(5);
    const queue = handover.request('damaged', 'high', 'A cup broke.');
    const [passage] = knowledge.find('returns', 'help', 1);
    const { text } = model.complete({ purpose: 'p', messages: [], maxTokens: 9 });
    const sent = message.toCustomers(['a', 'b'], 'hi') + message.toCustomer('x');
    const job = schedule.at(5, 'tried', {});
    schedule.cancel(job);
    return reply(
      [seen, kv.get('seen'), changed.priority, changed.status, past.tags, queue].join() +
        [passage.title, text, sent, job].join(),
    );
  });
  const { host, outcome } = await run(tried, {}, {}, (known) => {
    known.setPassages('help', [{ id: '1', title: 'Returns', text: '', relevance: 9 }]);
    known.completeWith('yes');
  });
  assert.deepEqual(outcome, reply('2,,p1,new,fragile,peopleReturns,yes,3,job_1'));
  assert.equal(host.calls.length, 16);
});
