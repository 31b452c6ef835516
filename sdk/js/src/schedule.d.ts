/** Has a tool of this skill run once, and answers the job's name. */
export declare function at(ms: number, tool: string, given: object): string;

/** Has it run again and again: minute, hour, day of month, month, day of week, in UTC. */
export declare function cron(line: string, tool: string, given: object): string;

/** Has it not run after all. */
export declare function cancel(id: string): void;
