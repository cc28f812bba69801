/**
 * What a fuzz target is: one reader of what strangers send, and what must hold whatever they send.
 *
 * A new target is one file in targets/, one line in targets.ts, and its corpus, corpus/NAME.txt.
 */

export interface FuzzTarget {
  /** In snake_case; the corpus has the same name. */
  readonly name: string;
  /** Inputs beside those of the corpus: such as have to be computed. */
  readonly seeds?: readonly Uint8Array[];
  /** Inputs that a run in the test suites tries; about two seconds' worth. */
  readonly executions: number;
  /** The longest input that is made; 4,096 octets unless said. */
  readonly maxOctets?: number;
  /**
   * Tries one input, and must not keep or change it.
   *
   * @throws If popkeep did what it must never do.
   */
  attempt(input: Uint8Array): void | Promise<void>;
  /** Gives back what the target holds, such as a server that it has started; once, at the end. */
  end?(): void | Promise<void>;
}

/** The longest input of a target that does not say. */
export const MAX_OCTETS = 4_096;
