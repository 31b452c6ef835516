// Small state of a skill, kept apart for each customer, with a quota.

import * as state from '#host/kv';
import { read, write } from './data.js';
import { ask } from './errors.js';

export const get = (key) => ask(() => state.get(key)) ?? undefined;
export const set = (key, value, ttlSeconds) => ask(() => state.set(key, value, ttlSeconds));
export const remove = (key) => ask(() => state.delete(key));

export function getJson(key, shape) {
  const found = get(key);
  return found && read(new TextDecoder().decode(found), shape, `value of ${key}`);
}

export function setJson(key, value, ttlSeconds) {
  set(key, new TextEncoder().encode(write(value, `value of ${key}`)), ttlSeconds);
}
