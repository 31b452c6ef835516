// Tickets of this conversation's customer.

import * as tickets from '#host/ticket';
import { ask } from './errors.js';

const typed = (ticket) => ({ ...ticket, createdMs: Number(ticket.createdMs) });

export const create = (subject, priority) => typed(ask(() => tickets.create(subject, priority)));
export const update = (id, change) => typed(ask(() => tickets.update(id, change)));
export const tag = (id, name) => ask(() => tickets.tag(id, name));
export const comment = (id, text) => ask(() => tickets.comment(id, text));
export const history = (limit) => ask(() => tickets.history(limit)).map(typed);
