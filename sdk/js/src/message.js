// Sending messages beyond the answer to the customer's own.

import * as sending from '#host/message';
import { ask } from './errors.js';

export const toCustomer = (text) => send({ tag: 'customer' }, text);
export const toQueue = (queue, text) => send({ tag: 'queue', val: queue }, text);
export const toCustomers = (keys, text) => send({ tag: 'customers', val: [...keys] }, text);

const send = (audience, text) => ask(() => sending.send(audience, text));
