/**
 * The results of a run: read from JSON lines, and asked for by server, work and figure.
 *
 * A measurement with an error counts as failed. One that others disturbed counts only where there
 * is no other. *Does not know* goals, tables or plots.
 */

import { BROKE_OFF } from "../runner/recorder.ts";
import { SERVERS } from "../servers.ts";

export interface Head {
  readonly at: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Measurement {
  readonly server: string;
  /** As in `TESTS=`; several works may be measured in one. */
  readonly test: string;
  readonly work: string;
  readonly round: number;
  readonly errors: number;
  readonly first_error?: string;
  readonly [figure: string]: unknown;
}

/** A figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** A figure that was measured. */
export interface Measured {
  readonly server: string;
  readonly work: string;
  readonly figure: string;
}

/**
 * Cores that others used from which on a measurement counts as disturbed: other programs, and other machines
 * on the same host.
 */
const DISTURBED_CORES = 0.3;

export class Results {
  readonly head: Head;
  readonly measurements: readonly Measurement[];

  constructor(head: Head, measurements: readonly Measurement[]) {
    this.head = head;
    this.measurements = measurements;
  }

  of(server: string, work: string): readonly Measurement[] {
    return this.measurements.filter((one) => one.server === server && one.work === work);
  }

  /** The figure over the good measurements; undefined where there is none. */
  spread(server: string, work: string, figure: string): Spread | undefined {
    const values = this.#counted({ server, work, figure }).map((one) => figureOf(one, figure)!);
    if (values.length === 0) return undefined;
    values.sort((a, b) => a - b);
    return { median: medianOf(values), least: values[0]!, most: values.at(-1)! };
  }

  /** The measurements that count. */
  #counted({ server, work, figure }: Measured): readonly Measurement[] {
    const good = this.of(server, work).filter((one) =>
      one.errors === 0 && typeof figureOf(one, figure) === "number"
    );
    const calm = good.filter((one) => !isDisturbed(one));
    return calm.length > 0 ? calm : good;
  }

  /**
   * How many times as much one measured as another: the median of the ratios within each round, since what
   * a machine can do changes from round to round. Undefined where no round has both.
   */
  ratio(one: Measured, other: Measured): number | undefined {
    const rounds = new Set(this.measurements.map(({ round }) => round));
    const ratios = [...rounds].flatMap((round) => {
      const median = this.#medianIn(one, round);
      const otherMedian = this.#medianIn(other, round);
      return median === undefined || otherMedian === undefined ? [] : [median / otherMedian];
    });
    return ratios.length === 0 ? undefined : medianOf(ratios.sort((a, b) => a - b));
  }

  #medianIn(measured: Measured, round: number): number | undefined {
    const values = this.#counted(measured).filter((one) => one.round === round)
      .map((one) => figureOf(one, measured.figure)!);
    return values.length === 0 ? undefined : medianOf(values.sort((a, b) => a - b));
  }

  /**
   * What went wrong first, or undefined if nothing did. Where a server broke a test off, such as by not
   * starting, all that the test measures with others has failed.
   */
  failure(server: string, work: string): string | undefined {
    const { test } = this.measurements.find((one) => one.work === work) ?? {};
    const failed = this.of(server, work).find(({ errors }) => errors !== 0) ??
      this.of(server, BROKE_OFF).find((one) => one.test === test);
    return failed && (failed.first_error || `${failed.errors} errors`);
  }

  /** The peer that is best at it, by its median. */
  bestPeer(
    work: string,
    figure: string,
    { better, tls }: { better: "more" | "less"; tls: boolean },
  ): { readonly server: string; readonly spread: Spread } | undefined {
    const sign = better === "more" ? -1 : 1;
    return SERVERS.filter((server) => server.kind === "peer" && server.tls === tls)
      .map(({ name }) => ({ server: name, spread: this.spread(name, work, figure) }))
      .filter((one): one is { server: string; spread: Spread } => one.spread !== undefined)
      .sort((a, b) => sign * (a.spread.median - b.spread.median))[0];
  }

  get disturbed(): number {
    return this.measurements.filter(isDisturbed).length;
  }

  /** Measurements of which it is known whether they were disturbed. */
  get watched(): number {
    return this.measurements.filter((one) => typeof one["other_cpu"] === "number").length;
  }
}

/** @throws {Error} If a line is not JSON, or the first is not a head. */
export function parseResults(text: string): Results {
  const [first, ...rest] = text.split("\n").filter((line) => line !== "").map((line, at) => {
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw new Error(`Line ${at + 1} of the results is not JSON`, { cause });
    }
  });
  if (first === undefined || typeof first.at !== "string" || first.machine === undefined) {
    throw new Error("The results do not begin with what the run ran on");
  }
  return new Results(first, rest);
}

/** A recorded figure, or one that follows from recorded ones. */
function figureOf(one: Measurement, figure: string): number | undefined {
  if (figure === "server_us_session") return perUnit(one, "sessions");
  if (figure === "server_us_message") return perUnit(one, "messages");
  const value = one[figure];
  return typeof value === "number" ? value : undefined;
}

/** Processor time of the server for each session or message, microseconds. */
function perUnit(one: Measurement, unit: "sessions" | "messages"): number | undefined {
  const { server_s: seconds, [unit]: count } = one;
  if (typeof seconds !== "number" || typeof count !== "number" || count === 0) return undefined;
  return seconds / count * 1e6;
}

function isDisturbed(one: Measurement): boolean {
  const { other_cpu: used, stolen_cpu: stolen } = one;
  const cores = (value: unknown) => typeof value === "number" ? Math.max(0, value) : 0;
  return cores(used) + cores(stolen) >= DISTURBED_CORES;
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
