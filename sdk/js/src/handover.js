// Asking for a person.

import * as people from '#host/handover';
import { ask } from './errors.js';

export const request = (reason, severity, summary) =>
  ask(() => people.handOver({ reason, severity, summary }));
