/**
 * What a running server is made of, part by part, so that a reload keeps each part whose options did not
 * change: what it remembers, its threads, its connections.
 *
 * *Does not know* what the parts are.
 */

import { isDeepStrictEqual } from "node:util";

interface Part {
  readonly identity: number;
  readonly options: unknown;
  readonly value: unknown;
  readonly close: () => void | Promise<void>;
}

let lastIdentity = 0;

export class Parts {
  readonly #before: Parts | undefined;
  readonly #parts = new Map<string, Part>();

  /** @param before Whose parts may be kept. */
  constructor(before?: Parts) {
    this.#before = before;
  }

  /**
   * The part of this name: the one there was if its options are the same, else a new one.
   *
   * @param options All that the part is made from, or it would be kept though it should not.
   * @throws What `make` throws.
   */
  async take<Value>(
    name: string,
    options: unknown,
    make: () => Value | Promise<Value>,
    close: (value: Value) => void | Promise<void> = () => {},
  ): Promise<Value> {
    const before = this.#before === undefined ? undefined : this.#before.#parts.get(name);
    if (before !== undefined && isDeepStrictEqual(before.options, options)) {
      this.#parts.set(name, before);
      return before.value as Value;
    }
    const value = await make();
    this.#parts.set(name, { identity: ++lastIdentity, options, value, close: () => close(value) });
    return value;
  }

  /** The number of a part, for the options of a part that is made of it: another part has another one. */
  identity(name: string): number {
    return this.#parts.get(name)?.identity ?? 0;
  }

  /** Closes what there was before and is not kept: the change is done. */
  async closeBefore(): Promise<void> {
    await this.#before?.closeAllBut(this);
  }

  /** Closes what was made anew: the change has failed, and all stays as it was before. */
  async undo(): Promise<void> {
    await this.closeAllBut(this.#before);
  }

  /** Closes every part that `others` does not have; the newest first. */
  async closeAllBut(others?: Parts): Promise<void> {
    for (const [name, part] of [...this.#parts].reverse()) {
      const isKept = others !== undefined && others.#parts.get(name) === part;
      if (!isKept) await part.close();
    }
  }
}
