// Checked by the compiler alone: what must be accepted, and what must not.

import {
  type Context,
  type Infer,
  type Outcome,
  HostError,
  ask,
  done,
  handOver,
  log,
  reply,
  shape,
  skill,
  tool,
} from 'postern';
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

const Order = shape.object({
  status: shape.oneOf('sent', 'pending'),
  note: shape.optional(shape.string),
  items: shape.list(shape.object({ cents: shape.integer })),
});
type Order = Infer<typeof Order>;

export const tools = skill({
  order_status: tool(
    { order_id: shape.string, limit: shape.optional(shape.integer) },
    async ({ order_id, limit }, context: Context): Promise<Outcome> => {
      const order: Order = records.get('orders', order_id, Order).body;
      const total: number = order.items.reduce((sum, { cents }) => sum + cents, limit ?? 0);
      const note: string | undefined = order.note;
      log.info('read', { order: order_id, total });
      // @ts-expect-error: no such status
      if (order.status === 'lost') return done;
      // @ts-expect-error: the argument is a text
      order_id.toFixed();
      return order.status === 'sent' ? reply(note ?? context.language) : ask('order_id', 'Which?');
    },
  ),
  // @ts-expect-error: a text is no outcome
  wrong: tool({}, () => 'text'),
  person: tool({}, () => handOver('asked', 'high', 'Wait.')),
});

// @ts-expect-error: no such severity
handOver('asked', 'huge', 'Wait.');
// @ts-expect-error: no such method
http.send({ method: 'brew', url: 'https://pot.example' });
// @ts-expect-error: no such priority
ticket.create('x', 'p9');

export const everything = (): unknown[] => [
  http.post('https://carrier.example', { json: { a: 1 }, secrets: ['token'] }).json(Order).status,
  kv.getJson('seen', shape.integer),
  knowledge.find('returns', 'help', 3)[0]?.title,
  model.complete({ purpose: 'p', messages: [{ role: 'user', text: 'x' }], maxTokens: 5 }).text,
  message.toCustomers(['a'], 'x'),
  handover.request('asked', 'low', 'x'),
  schedule.cron('0 9 * * 1', 'order_status', { order_id: 'x' }),
  records.write(records.replace('orders', 'x', 1, { status: 'sent' })),
  new HostError('denied', 'why').retryAfterMs,
  new FakeHost().call(tools, 'order_status', { order_id: 'x' }, { customer: 'ada' }),
];
