// Log lines. They are capped by the host, and secrets and personal data are taken out.

import { log } from '#host/log';
import { pairs } from './data.js';

const at = (level) => (message, fields = {}) => log(level, message, pairs(fields));

export const trace = at('trace');
export const debug = at('debug');
export const info = at('info');
export const warn = at('warn');
export const error = at('error');
