/**
 * Runs a target: inputs that are kept first, then new ones made of them, the same ones for the same seed.
 *
 * With coverage, an input that reaches what no other has reached is kept and new ones are made of it too.
 * *Knows* targets and corpora. *Does not know* files of its own findings, or which targets there are.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Corpus } from "./corpus.ts";
import type { Coverage, Untouched } from "./coverage.ts";
import { mutated } from "./mutation.ts";
import { Random } from "./random.ts";
import { type FuzzTarget, MAX_OCTETS } from "./target.ts";

export interface FuzzingOptions {
  readonly seed: number;
  /** Asked after each batch, with how many new inputs have been tried. */
  readonly isOver: (executions: number) => boolean;
  /** Undefined makes new inputs of those of the corpus alone. */
  readonly coverage?: Coverage | undefined;
  /** Inputs that earlier runs have kept. */
  readonly earlier?: readonly Uint8Array[];
  /** Told of each input before it is tried. */
  readonly trying?: (input: Uint8Array) => void;
  /** Told of an input that reaches something new. */
  readonly kept?: (input: Uint8Array) => void;
  /** Told of an input that the target fails on; ends the run if it throws. */
  readonly failed: (input: Uint8Array, error: unknown) => void;
}

export interface FuzzingResult {
  /** New inputs that were tried. */
  readonly executions: number;
  /** Inputs that new ones were made of in the end. */
  readonly inputs: number;
}

/** Inputs between two looks at the coverage, and between two turns of the event loop. */
const BATCH = 500;

/** All inputs that are there before any is made: of the corpus, and those that the target computes. */
export function firstInputs(target: FuzzTarget, corpus: Corpus): Uint8Array[] {
  return [...corpus.inputs.map(({ octets }) => octets), ...target.seeds ?? []];
}

export async function fuzz(
  target: FuzzTarget,
  corpus: Corpus,
  options: FuzzingOptions,
): Promise<FuzzingResult> {
  const random = new Random(options.seed);
  const inputs = [...firstInputs(target, corpus), ...options.earlier ?? []];
  if (inputs.length === 0) throw new Error(`The corpus of ${target.name} is empty`);
  const { words } = corpus;
  const maxOctets = target.maxOctets ?? MAX_OCTETS;
  const run = new Run(target, options);
  for (const input of inputs) await run.attempt(input);
  await run.look();
  let executions = 0;
  while (!options.isOver(executions)) {
    const batch = Array.from(
      { length: BATCH },
      () => mutated(random, { inputs, words, maxOctets }),
    );
    for (const input of batch) await run.attempt(input);
    executions += batch.length;
    for (const input of await run.newIn(batch)) {
      inputs.push(input);
      options.kept?.(input);
    }
    await nextTurn();
  }
  return { executions, inputs: inputs.length };
}

class Run {
  readonly #target: FuzzTarget;
  readonly #options: FuzzingOptions;
  #untouched: Untouched = new Map();

  constructor(target: FuzzTarget, options: FuzzingOptions) {
    this.#target = target;
    this.#options = options;
  }

  async attempt(input: Uint8Array): Promise<void> {
    this.#options.trying?.(input);
    try {
      const going = this.#target.attempt(input);
      if (going instanceof Promise) await going;
    } catch (error) {
      this.#options.failed(input, error);
    }
  }

  /** Takes what has run so far for known; tells whether any of it was new. */
  async look(): Promise<boolean> {
    const looked = await this.#options.coverage?.since(this.#untouched);
    if (looked !== undefined) this.#untouched = looked.untouched;
    return looked !== undefined && looked.news > 0;
  }

  /** The inputs that reach something that none before them did, of those that were just tried. */
  async newIn(batch: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const before = this.#untouched;
    if (!await this.look()) return [];
    if (batch.length === 1) return [...batch];
    const after = this.#untouched;
    this.#untouched = before;
    const news: Uint8Array[] = [];
    const middle = batch.length >> 1;
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      for (const input of half) await this.attempt(input);
      news.push(...await this.newIn(half));
    }
    // What ran the first time alone, such as what is done once in a process, is no reason to look again.
    this.#untouched = after;
    return news;
  }
}
