declare module 'postern:log/logging@0.1.0' {
  /**
   * Writes one line. `fields` are names and values that belong to it. A line
   * over the cap is dropped and counted; logging never fails.
   */
  export function log(level: Level, message: string, fields: Array<[string, string]>): void;
  /**
   * # Variants
   * 
   * ## `"trace"`
   * 
   * ## `"debug"`
   * 
   * ## `"info"`
   * 
   * ## `"warn"`
   * 
   * ## `"error"`
   */
  export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';
}
