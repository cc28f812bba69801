/** What a warning about the settings is. */

/** Something that works and that an operator should know of. */
export interface Warning {
  readonly key: string;
  readonly message: string;
}
