/** What a command table holds: a state is a file, and at its end stands the table of its commands. */

import type { Answer } from "./answer.ts";

/** Carries out one command. All arguments are decoded before anything is done. */
export type Handler<State> = (
  state: State,
  args: readonly Uint8Array[],
) => Answer | Promise<Answer>;

export interface CommandEntry<State> {
  /** How many arguments it takes, at least and at most; "rest": one, the whole rest of the line. */
  readonly arity: readonly [number, number] | "rest";
  readonly run: Handler<State>;
}

/** By keyword, in upper case. */
export type CommandTable<State> = ReadonlyMap<string, CommandEntry<State>>;
