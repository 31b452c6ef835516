declare module 'postern:ticket/tickets@0.1.0' {
  /**
   * Opens a ticket and makes it the conversation's current one.
   */
  export function create(subject: string, priority: Priority): Ticket;
  /**
   * Changes a ticket of this conversation.
   */
  export function update(id: string, change: Change): Ticket;
  /**
   * Adds a tag: lower-case letters, digits and hyphens, at most 40.
   */
  export function tag(id: string, tag: string): void;
  /**
   * Adds a remark for the people who work on the ticket.
   */
  export function comment(id: string, text: string): void;
  /**
   * This customer's earlier tickets and what became of them, newest first,
   * at most `limit` (1 to 50).
   */
  export function history(limit: number): Array<Ticket>;
  /**
   * # Variants
   * 
   * ## `"new"`
   * 
   * ## `"open"`
   * 
   * ## `"waiting-customer"`
   * 
   * ## `"waiting-third-party"`
   * 
   * ## `"resolved"`
   * 
   * ## `"closed"`
   */
  export type Status = 'new' | 'open' | 'waiting-customer' | 'waiting-third-party' | 'resolved' | 'closed';
  /**
   * # Variants
   * 
   * ## `"p1"`
   * 
   * ## `"p2"`
   * 
   * ## `"p3"`
   * 
   * ## `"p4"`
   */
  export type Priority = 'p1' | 'p2' | 'p3' | 'p4';
  export interface Ticket {
    id: string,
    subject: string,
    status: Status,
    priority: Priority,
    tags: Array<string>,
    /**
     * Milliseconds since 1970-01-01T00:00:00Z.
     */
    createdMs: bigint,
  }
  /**
   * What to change; none leaves a field as it is.
   */
  export interface Change {
    subject?: string,
    status?: Status,
    priority?: Priority,
  }
  /**
   * What kind of thing went wrong.
   * # Variants
   * 
   * ## `"denied"`
   * 
   * Policy refused the call; `message` names the rule and the next step.
   * ## `"invalid"`
   * 
   * The arguments are not acceptable.
   * ## `"not-found"`
   * 
   * The thing that the call names does not exist.
   * ## `"conflict"`
   * 
   * The thing changed since it was read: read it again.
   * ## `"limited"`
   * 
   * A limit of the host is used up.
   * ## `"unavailable"`
   * 
   * The other side did not answer, or the host has no backend for this.
   * ## `"uncertain"`
   * 
   * The call may or may not have taken effect; a person has been told.
   */
  export type FailureKind = 'denied' | 'invalid' | 'not-found' | 'conflict' | 'limited' | 'unavailable' | 'uncertain';
  /**
   * Whether asking again can help.
   */
  export type Retry = RetryNever | RetryNow | RetryAfter;
  /**
   * The same call will fail again.
   */
  export interface RetryNever {
    tag: 'never',
  }
  /**
   * The same call may succeed at once, for instance after a new read.
   */
  export interface RetryNow {
    tag: 'now',
  }
  /**
   * The same call may succeed after this many milliseconds.
   */
  export interface RetryAfter {
    tag: 'after',
    val: number,
  }
  /**
   * A call that did not happen, or whose result is not known.
   */
  export interface Failure {
    kind: FailureKind,
    /**
     * What was wrong, without personal data or secrets.
     */
    message: string,
    /**
     * Whether the same call can succeed later.
     */
    retry: Retry,
  }
}
