import type { Shape } from './shape.js';

/** Reads a value; undefined if it is missing or expired. */
export declare function get(key: string): Uint8Array | undefined;

/** Keeps a value for so many seconds (1 to 31,536,000). */
export declare function set(key: string, value: Uint8Array, ttlSeconds: number): void;

/** Forgets a value. Forgetting a missing one is no error. */
export declare function remove(key: string): void;

/** Reads a value that was kept with `setJson`. */
export declare function getJson<T = unknown>(key: string, shape?: Shape<T>): T | undefined;

/** Keeps a value as JSON. */
export declare function setJson(key: string, value: unknown, ttlSeconds: number): void;
