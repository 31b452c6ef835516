/// <reference path="../types/postern-http-client.d.ts" />
import type { Method } from 'postern:http/client@0.1.0';
import type { Shape } from './shape.js';

export type { Method };

export interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  /** A body as it is. */
  readonly body?: string | Uint8Array;
  /** A body to be written as JSON, with its content type. */
  readonly json?: unknown;
  /** Names of secrets that the host puts in, where and for which server it was told. */
  readonly secrets?: readonly string[];
  /**
   * Whether performing the request twice does no harm. GET, HEAD, PUT and DELETE count
   * as such until said otherwise.
   */
  readonly idempotent?: boolean;
}

export interface Request extends Options {
  readonly method: Method;
  /** The absolute URL. */
  readonly url: string;
}

/** What a server answered. */
export declare class Response {
  private constructor();
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly body: Uint8Array;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  /** The first header of this name, whatever its case. */
  header(name: string): string | undefined;
  text(): string;
  json<T = unknown>(shape?: Shape<T>): T;
}

/** Sends one request. Any status is a response; redirects are not followed. */
export declare function send(request: Request): Response;
export declare function get(url: string, options?: Options): Response;
export declare function post(url: string, options?: Options): Response;
