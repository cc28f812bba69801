/** What can be chosen, by variables of make or of the environment. README.md explains them. */

import { type Server, SERVERS } from "./servers.ts";
import type { Work } from "./runner/work.ts";

export interface Options {
  readonly servers: readonly Server[];
  readonly works: readonly Work[];
  readonly rounds: number;
  readonly seconds: number;
  readonly firstPort: number;
  readonly scratch: string;
  /** All servers and all works, as often and as long as usual: what docs/performance.md shows. */
  readonly whole: boolean;
}

/** What was asked for cannot be. */
export class WrongOption extends Error {}

const USUAL_ROUNDS = 3;
const USUAL_SECONDS = 3;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {WrongOption} If a name is not known or a number is none. */
export function readOptions(environment: Environment, works: readonly Work[]): Options {
  const { PEERS: peers = "", TESTS: tests = "" } = environment;
  const rounds = number(environment, "ROUNDS", USUAL_ROUNDS, 100);
  const seconds = number(environment, "SECONDS", USUAL_SECONDS, 600);
  return {
    servers: chosen(SERVERS, peers, "PEERS"),
    works: chosen(works, tests, "TESTS"),
    rounds,
    seconds,
    firstPort: number(environment, "FIRST_PORT", 21_100, 65_000),
    scratch: environment["SCRATCH"] || "/var/tmp/popkeep-bench",
    whole: peers === "" && tests === "" && rounds >= USUAL_ROUNDS && seconds >= USUAL_SECONDS,
  };
}

/** Those that are named, in our order; all when none is. */
function chosen<Named extends { readonly name: string }>(
  all: readonly Named[],
  list: string,
  variable: string,
): readonly Named[] {
  const names = list.split(/[\s,]+/).filter(Boolean);
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(", ");
    throw new WrongOption(`${variable} names "${unknown}"; there are ${known}.`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function number(environment: Environment, variable: string, usual: number, most: number): number {
  const text = environment[variable] || String(usual);
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= 1 && value <= most) return value;
  throw new WrongOption(`${variable} is "${text}"; it has to be a number, 1 to ${most}.`);
}
