import { failure, perform } from './state.js';

function ticket({ tickets }, id) {
  const found = tickets.find((known) => known.id === id);
  if (found === undefined) throw failure('not-found', `no ticket ${id}`);
  return found;
}

const copy = (known) => ({ ...known, tags: [...known.tags] });

export const create = (subject, priority) =>
  perform({ action: 'ticket:create', subject, priority }, ({ tickets }) => {
    const id = `tkt_${tickets.length + 1}`;
    const opened = { id, subject, status: 'new', priority, tags: [], createdMs: 0n };
    tickets.push(opened);
    return copy(opened);
  });

export const update = (id, change) =>
  perform({ action: 'ticket:update', id, change }, (host) => {
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    return copy(Object.assign(ticket(host, id), Object.fromEntries(given)));
  });

export const tag = (id, name) =>
  perform({ action: 'ticket:tag', id, tag: name }, (host) => void ticket(host, id).tags.push(name));

export const comment = (id, text) =>
  perform({ action: 'ticket:comment', id, text }, (host) => void ticket(host, id));

export const history = (limit) =>
  perform({ action: 'ticket:history', limit }, ({ tickets }) =>
    tickets.toReversed().slice(0, limit).map(copy),
  );
