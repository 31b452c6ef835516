import { failure, perform } from './state.js';

export const find = (query, collection, limit) =>
  perform({ action: 'knowledge:search', query, collection, limit }, ({ articles }) => {
    const found = articles.get(collection);
    if (found !== undefined) return found.slice(0, limit);
    throw failure('unavailable', 'the fake host has no knowledge base of this name');
  });
