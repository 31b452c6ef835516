// Records of the operator's business, in collections such as `orders`.

import * as store from '#host/records';
import { pairs, read, write as text } from './data.js';
import { ask } from './errors.js';

export function get(collection, key, shape) {
  return typed(collection, ask(() => store.get(collection, key)), shape);
}

export function query(collection, conditions, limit, shape) {
  const found = ask(() => store.query(collection, equals(conditions), limit));
  return found.map((document) => typed(collection, document, shape));
}

export function write(...steps) {
  return Array.from(ask(() => store.write(steps)), Number);
}

export function identify(collection, details, shape) {
  const { key, document } = ask(() => store.identify(collection, equals(details)));
  return { key, record: typed(collection, document, shape) };
}

export function create(collection, key, body) {
  return put(collection, key, body, { tag: 'absent' });
}

export function replace(collection, key, version, body) {
  return put(collection, key, body, { tag: 'version', val: BigInt(version) });
}

export function remove(collection, key, version) {
  return { tag: 'delete', val: { collection, key, version: BigInt(version) } };
}

function put(collection, key, body, expected) {
  const written = text(body, `record for ${collection}`);
  return { tag: 'put', val: { collection, key, body: written, expected } };
}

const equals = (fields) => pairs(fields).map(([field, value]) => ({ field, value }));

function typed(collection, { key, version, body }, shape) {
  return { key, version: Number(version), body: read(body, shape, `record of ${collection}`) };
}
