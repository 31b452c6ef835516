/// <reference path="../types/postern-handover-people.d.ts" />
import type { Severity } from 'postern:handover/people@0.1.0';

/**
 * Puts the conversation in a queue for people, and answers the queue's name. `reason`
 * is short and machine-readable: lower-case letters, digits, hyphens. `summary` is what
 * the person should know first, without personal data.
 */
export declare function request(reason: string, severity: Severity, summary: string): string;
