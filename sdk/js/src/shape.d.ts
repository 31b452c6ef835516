/** What a JSON value looks like. */
export interface Shape<T> {
  /** The value, if it has this shape; otherwise an error that names the field. */
  read(value: unknown, path?: string): T;
}

/** A shape that a field may lack. */
export interface OptionalShape<T> extends Shape<T | undefined> {
  readonly optional: true;
}

export type Fields = Readonly<Record<string, Shape<unknown>>>;

/** The type that a shape gives: `Infer<typeof Order>`. */
export type Infer<S> = S extends Shape<infer T> ? T : never;

type OptionalNames<F extends Fields> = {
  [K in keyof F]: F[K] extends OptionalShape<unknown> ? K : never;
}[keyof F];

type Flat<T> = { [K in keyof T]: T[K] };

/** The object that fields describe. */
export type Read<F extends Fields> = Flat<
  { [K in Exclude<keyof F, OptionalNames<F>>]: Infer<F[K]> } & {
    [K in OptionalNames<F>]?: Infer<F[K]>;
  }
>;

export declare const string: Shape<string>;
export declare const number: Shape<number>;
/** A whole number that JavaScript can count to. */
export declare const integer: Shape<number>;
export declare const boolean: Shape<boolean>;
/** Any value at all. */
export declare const json: Shape<unknown>;
/** One of these texts. */
export declare function oneOf<const T extends string>(...values: readonly T[]): Shape<T>;
/** Missing and null are undefined. */
export declare function optional<T>(shape: Shape<T>): OptionalShape<T>;
export declare function list<T>(shape: Shape<T>): Shape<T[]>;
/** An object whose values have one shape. */
export declare function map<T>(shape: Shape<T>): Shape<Record<string, T>>;
/** An object with these fields; others that it has stay in it, so that it can be written back. */
export declare function object<const F extends Fields>(fields: F): Shape<Read<F>>;
/** An object with these fields and no others. */
export declare function exactly<const F extends Fields>(fields: F): Shape<Read<F>>;
