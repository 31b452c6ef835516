declare module 'postern:message/sending@0.1.0' {
  /**
   * Sends a text, and answers to how many it goes.
   */
  export function send(audience: Audience, text: string): number;
  /**
   * Who gets it.
   */
  export type Audience = AudienceCustomer | AudienceQueue | AudienceCustomers;
  /**
   * The customer of the conversation.
   */
  export interface AudienceCustomer {
    tag: 'customer',
  }
  /**
   * The people of a queue.
   */
  export interface AudienceQueue {
    tag: 'queue',
    val: string,
  }
  /**
   * Customers by their keys, 1 to 1000; more than one is a mass send.
   */
  export interface AudienceCustomers {
    tag: 'customers',
    val: Array<string>,
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
