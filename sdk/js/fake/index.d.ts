import type { HostErrorKind, Outcome, Tools } from '../src/index.js';

/** A call that the skill made, with the name that rules and audit know: `records:get`. */
export interface Call {
  readonly action: string;
  readonly [detail: string]: unknown;
}

export interface Line {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** What a server answers. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string;
}

/** Facts about a call; without them nobody in particular writes, at 2025-06-15T12:00:00Z. */
export interface ExampleContext {
  readonly nowMs?: number;
  readonly language?: string;
  /** Key of the identified customer. */
  readonly customer?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Why a tool gave no outcome, as the host gets it. */
export interface Failure {
  readonly kind: 'failure';
  readonly failure: 'invalid-arguments' | 'denied' | 'unavailable' | 'internal';
  readonly message: string;
}

/** A host in memory. A second one takes the place of the first. */
export declare class FakeHost {
  constructor();
  /** Every call so far, log lines aside. */
  readonly calls: readonly Call[];
  /** Every log line so far. */
  readonly log: readonly Line[];
  /** Keeps a record, in its next version if there is one already; answers the version. */
  setRecord(collection: string, key: string, body: object): number;
  /** A record as it is now. */
  record(collection: string, key: string): unknown;
  /** Answers requests with this method and URL from now on; others find no server. */
  answer(method: string, url: string, answer?: Answer): void;
  /** Answers questions to this collection of the knowledge base. */
  setPassages(
    collection: string,
    passages: { id: string; title: string; text: string; relevance: number }[],
  ): void;
  /** Answers one more question to the language model. */
  completeWith(text: string): void;
  /** Lets every call fail for which `when` holds. */
  failWhen(when: (call: Call) => boolean, kind: HostErrorKind, message?: string): void;
  /** Runs a tool as the host does. */
  call(
    tools: Tools,
    tool: string,
    given: object,
    context?: ExampleContext,
  ): Promise<Outcome | Failure>;
}
