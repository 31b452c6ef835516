// Shapes of JSON values: they check what arrives and give it a type. What they throw
// names the field and what was expected, never the value, which may be personal.

/** A value that does not fit; `path` says where. */
export class Mismatch extends Error {
  constructor(path, reason) {
    super(path === '' ? reason : `\`${path}\`: ${reason}`);
  }
}

const make = (expected, fits) => ({
  read(value, path = '') {
    if (!fits(value)) throw new Mismatch(path, `expected ${expected}`);
    return value;
  },
});

export const string = make('a string', (value) => typeof value === 'string');
export const number = make('a number', (value) => typeof value === 'number');
export const integer = make('a whole number', Number.isSafeInteger);
export const boolean = make('true or false', (value) => typeof value === 'boolean');
export const json = make('a value', (value) => value !== undefined);

export function oneOf(...values) {
  return make(`one of ${values.join(', ')}`, (value) => values.includes(value));
}

export function optional(shape) {
  const read = (value, path) => (value == null ? undefined : shape.read(value, path));
  return { read, optional: true };
}

export function list(shape) {
  return {
    read(value, path = '') {
      if (!Array.isArray(value)) throw new Mismatch(path, 'expected a list');
      return value.map((item, at) => shape.read(item, `${path}[${at}]`));
    },
  };
}

/** An object whose values have one shape. */
export function map(shape) {
  return {
    read(value, path = '') {
      const entries = Object.entries(plainObject(value, path));
      return Object.fromEntries(
        entries.map(([name, item]) => [name, shape.read(item, below(path, name))]),
      );
    },
  };
}

/** An object with these fields; others that it has stay in it, so that it can be written back. */
export function object(fields) {
  return {
    read(value, path = '') {
      const given = plainObject(value, path);
      const found = { ...given };
      for (const [name, shape] of Object.entries(fields)) {
        const has = Object.hasOwn(given, name) && given[name] !== undefined;
        if (!has && !shape.optional) throw new Mismatch(path, `missing field \`${name}\``);
        if (has) found[name] = shape.read(given[name], below(path, name));
      }
      return found;
    },
  };
}

/** An object with these fields and no others. */
export function exactly(fields) {
  const shape = object(fields);
  return {
    read(value, path = '') {
      const known = Object.keys(fields);
      for (const name of Object.keys(plainObject(value, path))) {
        if (known.includes(name)) continue;
        const expected = known.map((field) => `\`${field}\``).join(' or ') || 'no fields';
        throw new Mismatch(below(path, name), `expected ${expected}`);
      }
      return shape.read(value, path);
    },
  };
}

function plainObject(value, path) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Mismatch(path, 'expected an object');
  }
  return value;
}

const below = (path, name) => (path === '' ? name : `${path}.${name}`);
