// Looking something up in the knowledge base.

import * as base from '#host/knowledge';
import { ask } from './errors.js';

export const find = (query, collection, limit) => ask(() => base.find(query, collection, limit));
