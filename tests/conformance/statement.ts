/** What a statement of a document is here: what it asks, what popkeep does, and how the two stand. */

/**
 * - `does`: popkeep does what is asked.
 * - `deviates`: it does something else, on purpose; `does` says what and why.
 * - `in part`: a part of what is asked is there.
 * - `not yet`: nothing of it is there; no test is asked for, and none may claim it.
 * - `does not apply`: popkeep lacks what the statement is about, which a test can see.
 */
export type Standing = "does" | "deviates" | "in part" | "not yet" | "does not apply";

export interface Statement {
  /** By which tests cite it. */
  readonly id: string;
  /** What the document asks for, in our words. */
  readonly asks: string;
  readonly does: string;
  /** "does" unless said. */
  readonly standing?: Standing;
  /** Tests that prove it and do not carry its id: `file: name`, the file relative to tests/. */
  readonly also?: readonly string[];
}

export interface Document {
  readonly title: string;
  /** What a reader should know of the list. */
  readonly note: string;
  readonly statements: readonly Statement[];
}
