/// <reference path="../types/postern-knowledge-search.d.ts" />
import type { Passage } from 'postern:knowledge/search@0.1.0';

export type { Passage };

/**
 * The passages of a collection that fit a question in plain words, the best first; at
 * most `limit` of them, 1 to 20.
 */
export declare function find(query: string, collection: string, limit: number): Passage[];
