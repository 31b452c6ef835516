// Asking the host's language model.

import * as model from '#host/model';
import { ask } from './errors.js';

export const complete = (request) => ask(() => model.complete(request));
