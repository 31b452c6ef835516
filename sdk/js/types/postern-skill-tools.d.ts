/// <reference path="./postern-skill-types.d.ts" />
declare module 'postern:skill/tools@0.1.0' {
  /**
   * Runs one tool. `arguments` is a JSON object that fits the tool's schema
   * in the manifest.
   */
  export function call(tool: string, arguments: string, context: Context): Outcome;
  export type Context = import('postern:skill/types@0.1.0').Context;
  export type Outcome = import('postern:skill/types@0.1.0').Outcome;
  export type Failure = import('postern:skill/types@0.1.0').Failure;
}
