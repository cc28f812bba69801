/**
 * Which parts of src/ have run: the block coverage of V8, and of JavaScriptCore in the same form, as
 * `node:inspector` hands it out. It is what tells a new kind of input from one more of the same.
 *
 * A look costs milliseconds, so it is taken after many inputs, and only where something new has run after
 * each of them once more.
 *
 * *Knows* the profiler's answers. *Does not know* inputs.
 */

import { Session } from "node:inspector";

/** Octets of a source text, from and to. */
type Range = readonly [from: number, to: number];

interface FunctionCoverage {
  readonly functionName: string;
  readonly ranges: readonly {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }[];
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly FunctionCoverage[];
}

/** Parts that have never run, by function; a function that is not there has not run at all. */
export type Untouched = ReadonlyMap<string, readonly Range[]>;

export class Coverage {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  /** Undefined where the runtime has none. */
  static async start(): Promise<Coverage | undefined> {
    try {
      const session = new Session();
      session.connect();
      const coverage = new Coverage(session);
      await coverage.#ask("Profiler.enable", {});
      await coverage.#ask("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
      return coverage;
    } catch {
      return undefined;
    }
  }

  /**
   * What had not run before the last look and has since: `known` without it, and how many functions it is in.
   */
  async since(known: Untouched): Promise<{ untouched: Untouched; news: number }> {
    const { result } = await this.#ask("Profiler.takePreciseCoverage", {}) as {
      readonly result: readonly ScriptCoverage[];
    };
    let news = 0;
    const untouched = new Map(known);
    for (const { url, functions } of result) {
      if (!isOurs(url)) continue;
      for (const { functionName, ranges } of functions) {
        const [whole] = ranges;
        if (whole === undefined || whole.count === 0) continue;
        const name = `${url} ${functionName} ${whole.startOffset}`;
        const before = untouched.get(name);
        const unrun = ranges.filter(({ count }) => count === 0)
          .map(({ startOffset, endOffset }): Range => [startOffset, endOffset]);
        const left = before === undefined ? unrun : inBoth(before, unrun);
        if (before !== undefined && lengthOf(left) === lengthOf(before)) continue;
        untouched.set(name, left);
        news++;
      }
    }
    return { untouched, news };
  }

  #ask(method: string, parameters: object): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.#session.post(
        method,
        parameters,
        (error: Error | null, answer?: unknown) =>
          error === null || error === undefined ? resolve(answer) : reject(error),
      )
    );
  }
}

function isOurs(url: string): boolean {
  return url.includes("/src/") && !url.includes("/node_modules/");
}

function inBoth(one: readonly Range[], other: readonly Range[]): Range[] {
  return one.flatMap(([from, to]) =>
    other.map(([start, end]): Range => [Math.max(from, start), Math.min(to, end)])
  ).filter(([from, to]) => from < to);
}

/** Ranges may lie in one another where a block that did not run has blocks in it. */
function lengthOf(ranges: readonly Range[]): number {
  let length = 0;
  let reached = -1;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    length += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return length;
}
