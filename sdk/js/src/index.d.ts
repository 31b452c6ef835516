/// <reference path="../types/postern-skill-types.d.ts" />
import type * as raw from 'postern:skill/types@0.1.0';
import type { Fields, Read } from './shape.js';

export { DataError, HostError, Internal, InvalidArguments, Unavailable } from './errors.js';
export type { HostErrorKind } from './errors.js';
export type { Infer, Shape } from './shape.js';
export * as log from './log.js';
export * as shape from './shape.js';

/** How soon a person should look. */
export type Severity = raw.Severity;

/** How well the host knows who is writing. */
export type IdentityLevel = raw.IdentityLevel;

/** What a tool came to: made by `reply`, `ask`, `handOver`, or `done`. */
export type Outcome =
  | { readonly kind: 'reply'; readonly text: string }
  | { readonly kind: 'ask'; readonly entity: string; readonly text: string }
  | {
      readonly kind: 'handOver';
      readonly reason: string;
      readonly severity: Severity;
      readonly text: string;
    }
  | { readonly kind: 'done' };

/** An answer for the customer. */
export declare function reply(text: string): Outcome;

/** A question for the argument `entity`; the tool is called again with the answer. */
export declare function ask(entity: string, text: string): Outcome;

/**
 * A wish for a person, and what the customer is told meanwhile. `reason` is short and
 * machine-readable: lower-case letters, digits, hyphens.
 */
export declare function handOver(reason: string, severity: Severity, text: string): Outcome;

/** Finished, with nothing to tell. */
export declare const done: Outcome;

/** Facts about the call, made by the host. */
export declare class Context {
  constructor(raw: raw.Context);
  /** Names this call in logs and audit. */
  readonly invocationId: string;
  /** Milliseconds since 1970-01-01T00:00:00Z, fixed for the whole call. */
  readonly nowMs: number;
  /** Language of the customer, as a BCP 47 tag. */
  readonly language: string;
  /** Who is writing; `key` is that of the customer's own record, once there is one. */
  readonly customer: { readonly key: string | undefined; readonly level: IdentityLevel };
  /** Values of the operator for this skill. */
  readonly settings: Readonly<Record<string, string>>;
  /** The value of a setting that the manifest declares; throws if it has none. */
  setting(name: string): string;
  /**
   * Key of the customer's own record. A tool whose manifest asks for an identity is
   * not called before there is one.
   */
  customerKey(): string;
}

/** A tool with its arguments. */
export interface Tool {
  readonly arguments: unknown;
  readonly run: (given: never, context: Context) => Outcome | Promise<Outcome>;
}

/**
 * A tool that takes an object of exactly these fields. `given` has their types.
 *
 * ```ts
 * tool({ order_id: shape.string }, ({ order_id }, context) => reply(`It is ${order_id}.`))
 * ```
 */
export declare function tool<const F extends Fields>(
  fields: F,
  run: (given: Read<F>, context: Context) => Outcome | Promise<Outcome>,
): Tool;

/** What the host calls. A skill's module exports it as `tools`. */
export interface Tools {
  call(tool: string, given: string, context: raw.Context): Promise<raw.Outcome>;
}

/** Makes a skill of tools, by the names that the manifest gives them. */
export declare function skill(tools: Readonly<Record<string, Tool>>): Tools;
