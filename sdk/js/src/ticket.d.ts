/// <reference path="../types/postern-ticket-tickets.d.ts" />
import type { Change, Priority, Status } from 'postern:ticket/tickets@0.1.0';

export type { Change, Priority, Status };

export interface Ticket {
  readonly id: string;
  readonly subject: string;
  readonly status: Status;
  /** `p1` is the most urgent. */
  readonly priority: Priority;
  readonly tags: readonly string[];
  /** When it was opened, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdMs: number;
}

/** Opens a ticket and makes it the conversation's current one. */
export declare function create(subject: string, priority: Priority): Ticket;

/** Changes a ticket of this conversation; what is left out stays as it is. */
export declare function update(id: string, change: Change): Ticket;

/** Adds a tag: lower-case letters, digits and hyphens, at most 40. */
export declare function tag(id: string, name: string): void;

/** Adds a remark for the people who work on the ticket. */
export declare function comment(id: string, text: string): void;

/** This customer's earlier tickets and what became of them, newest first, at most 50. */
export declare function history(limit: number): Ticket[];
