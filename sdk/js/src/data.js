// JSON from elsewhere, read with or without a shape.

import { DataError } from './errors.js';
import { Mismatch } from './shape.js';

/** The value that a text says, in this shape if there is one. */
export function read(text, shape, what) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError(`${what}: not valid JSON`);
  }
  if (shape === undefined) return value;
  try {
    return shape.read(value);
  } catch (error) {
    throw error instanceof Mismatch ? new DataError(`${what}: ${error.message}`) : error;
  }
}

/** The text of a value. */
export function write(value, what) {
  const text = JSON.stringify(value);
  if (text === undefined) throw new DataError(`${what}: cannot be written as JSON`);
  return text;
}

/** Names and values as the host wants them. */
export const pairs = (object) => Object.entries(object).map(([name, text]) => [name, String(text)]);
