/// <reference path="../types/postern-records-store.d.ts" />
import type { Step as RawStep } from 'postern:records/store@0.1.0';
import type { Shape } from './shape.js';

/** A record. Personal fields arrive as placeholders: pass them on whole, never look inside. */
export interface Record<T> {
  readonly key: string;
  /** Grows by one with each change. */
  readonly version: number;
  readonly body: T;
}

/** The customer to whom given details belong. */
export interface Identity<T> {
  /** Key of the customer's record. */
  readonly key: string;
  readonly record: Record<T>;
}

/** Fields and the texts that they must equal. A dotted name reaches inside: `address.zip`. */
export type Conditions = Readonly<{ [field: string]: string }>;

/** One step of an atomic write: made by `create`, `replace` or `remove`. */
export type Step = RawStep;

/** Reads one record. */
export declare function get<T = unknown>(
  collection: string,
  key: string,
  shape?: Shape<T>,
): Record<T>;

/**
 * Reads the records in which every condition holds, ordered by key, at most `limit`
 * (1 to 100) of them. At least one condition is needed.
 */
export declare function query<T = unknown>(
  collection: string,
  conditions: Conditions,
  limit: number,
  shape?: Shape<T>,
): Record<T>[];

/** Performs all steps or none; answers each record's new version (0 for a deleted one). */
export declare function write(...steps: Step[]): number[];

/**
 * Asks the host whether details that the customer gave belong to exactly one record. If
 * so, the customer is identified as its owner from here on. Not finding one is a
 * `HostError` with `isNotFound`, which does not tell what was wrong.
 */
export declare function identify<T = unknown>(
  collection: string,
  details: Conditions,
  shape?: Shape<T>,
): Identity<T>;

/** Writes a record under a key that is free. */
export declare function create(collection: string, key: string, body: object): Step;

/** Writes a new version of a record that was read in this version. */
export declare function replace(
  collection: string,
  key: string,
  version: number,
  body: object,
): Step;

/** Deletes a record that was read in this version. */
export declare function remove(collection: string, key: string, version: number): Step;
