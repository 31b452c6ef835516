/** Writes to the customer of the conversation; answers to how many it goes. */
export declare function toCustomer(text: string): number;

/** Writes to the people of a queue. */
export declare function toQueue(queue: string, text: string): number;

/** Writes to customers by their keys, 1 to 1000; more than one is a mass send. */
export declare function toCustomers(keys: readonly string[], text: string): number;
