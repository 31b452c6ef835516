/** Names and values that belong to a line. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

export declare function trace(message: string, fields?: LogFields): void;
export declare function debug(message: string, fields?: LogFields): void;
export declare function info(message: string, fields?: LogFields): void;
export declare function warn(message: string, fields?: LogFields): void;
export declare function error(message: string, fields?: LogFields): void;
