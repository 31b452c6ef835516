import { host } from './state.js';

// Without a host there is nobody to read the line.
export const log = (level, message, fields) =>
  host()?.log.push({ level, message, fields: Object.fromEntries(fields) });
