import { perform } from './state.js';

export const get = (key) =>
  perform({ action: 'kv:get', key }, ({ values }) => values.get(key));

export const set = (key, value, ttlS) =>
  perform({ action: 'kv:set', key, value, ttlS }, ({ values }) => void values.set(key, value));

const forget = (key) =>
  perform({ action: 'kv:delete', key }, ({ values }) => void values.delete(key));

export { forget as delete };
