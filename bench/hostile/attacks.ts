/** Who comes, how many, and what must come of it. The words are those of hostile_clients.c. */

/** What hostile_clients prints at its end. */
export interface Figures {
  readonly opened: number;
  readonly greeted: number;
  readonly told: number;
  readonly dropped: number;
  readonly ended_by_server: number;
  readonly most_at_once: number;
  readonly rounds: number;
  readonly replies: number;
  readonly handshakes: number;
  readonly octets_sent: number;
  /** What no client may get, and the first such thing in words. */
  readonly must_not: number;
  readonly said: string;
}

export interface Attack {
  readonly name: string;
  readonly words: string;
  /** The second octet of its addresses, of each attack another: one that is refused for guessing stays so. */
  readonly network: number;
  /** How long, s, if not as long as the others. */
  readonly seconds?: number;
  /** The number of the first user whom it names, if not that of the others. */
  readonly firstUser?: number;
  /** False where it takes all places, so that nobody else can come. */
  readonly leavesRoom?: false;
  /** What it came to, for the table. */
  readonly outcome: (figures: Figures) => string;
  /** What is wrong with that, beside `must_not`. */
  readonly fault?: (figures: Figures) => string | undefined;
}

/** Connections that the servers of this run let in: in all, and from one address (the default). */
export const MOST_CONNECTIONS = 12_000;
const MOST_OF_ADDRESS = 200;

/** Addresses of a load balancer; what comes from there begins with a PROXY header. */
export const BALANCERS = 98;

/** The number of the large message, and of the first user whom the bystanders leave to the attacks. */
export const LARGE_MESSAGE = 20;
export const FIRST_USER = 20;

const came = ({ opened }: Figures) => `${number(opened)} connections`;
const heldAtOnce = ({ most_at_once }: Figures) => `${number(most_at_once)} at once`;

/** More at once than a limit allows. */
function above(most: number) {
  return ({ most_at_once }: Figures) =>
    most_at_once > most ? `${most_at_once} were let in at once, of ${most}` : undefined;
}

export const ATTACKS: readonly Attack[] = [
  {
    name: "10,000 idle connections, 100 addresses, 1,000 a second",
    words: "-k idle -c 10000 -a 100 -R 1000 -o",
    network: 60,
    // All have come after ten; those who come in one moment are the next kind.
    seconds: 25,
    outcome: heldAtOnce,
    fault: ({ most_at_once }) => most_at_once < 10_000 ? `${most_at_once} were let in` : undefined,
  },
  {
    name: "15,000, where 12,000 may be",
    words: "-k idle -c 15000 -a 150",
    network: 61,
    leavesRoom: false,
    outcome: heldAtOnce,
    fault: above(MOST_CONNECTIONS),
  },
  {
    name: "1,000 from one address, where 200 may be",
    words: "-k idle -c 1000",
    network: 62,
    outcome: heldAtOnce,
    fault: above(MOST_OF_ADDRESS),
  },
  {
    name: "1,000 that send an octet a minute",
    words: "-k drip -c 1000 -a 10 -i 55000 -o",
    network: 63,
    seconds: 70,
    outcome: ({ ended_by_server }) => `${number(ended_by_server)} ended after their minute`,
    fault: ({ ended_by_server }) =>
      ended_by_server < 1000 ? `${ended_by_server} were ended` : undefined,
  },
  {
    name: "connections that come and go, one address, 300 at a time",
    words: "-k flood -c 300",
    network: 64,
    outcome: came,
  },
  {
    name: "the same, 1,000 addresses, 3,000 at a time",
    words: "-k flood -c 3000 -a 1000",
    network: 65,
    outcome: came,
  },
  {
    name: "a command and RST, 300 at a time",
    words: "-k reset -c 300 -a 2",
    network: 66,
    outcome: came,
  },
  {
    name: "RST in the middle of a message, 200 at a time",
    words: `-k midway -c 200 -a 10 -m ${LARGE_MESSAGE}`,
    network: 67,
    outcome: ({ rounds }) => `${number(rounds)} messages`,
  },
  {
    name: "1,000 that ask for 2 MiB thrice and never read",
    words: `-k deaf -c 1000 -a 10 -m ${LARGE_MESSAGE} -o`,
    network: 68,
    outcome: heldAtOnce,
  },
  {
    name: "the same under TLS",
    words: `-k deaf -T -c 1000 -a 10 -m ${LARGE_MESSAGE} -o`,
    network: 69,
    outcome: heldAtOnce,
  },
  {
    name: "1,000 that do not log in, send 90,000 CAPAs and never read",
    words: "-k ahead -c 1000 -a 10 -n 90000 -o",
    network: 82,
    outcome: heldAtOnce,
  },
  {
    name: "1,000 that read 100 octets a second under TLS",
    words: `-k slow -T -c 1000 -a 10 -b 100 -i 1000 -m ${LARGE_MESSAGE} -o`,
    network: 70,
    outcome: heldAtOnce,
  },
  {
    name: "1,000 halves of a TLS handshake",
    words: "-k half -c 1000 -a 10",
    network: 71,
    outcome: came,
  },
  {
    name: "TLS handshakes left before their end, 200 at a time",
    words: "-k hello -c 200 -R 5000",
    network: 72,
    outcome: came,
  },
  {
    name: "whole TLS handshakes, 200 at a time",
    words: "-k handshake -c 200",
    network: 73,
    outcome: ({ handshakes }) => number(handshakes),
  },
  {
    name: "TLS 1.2 renegotiation",
    words: "-k renegotiate -c 200",
    network: 74,
    outcome: ({ rounds }) => `${number(rounds)} attempts`,
  },
  {
    name: "TLS 1.3 key updates before each of 1,000 NOOPs",
    words: "-k keyupdate -c 200 -n 1000",
    network: 75,
    outcome: ({ replies }) => `${number(replies)} replies`,
  },
  {
    name: "8 lines of 1 GiB",
    words: "-k line -c 8 -b 1073741824",
    network: 76,
    outcome: ({ octets_sent }) => `${(octets_sent / 2 ** 30).toFixed(1)} GiB`,
  },
  {
    name: "100,000 NOOPs in one write, 10 at a time",
    words: "-k pipeline -c 10 -n 100000",
    network: 77,
    outcome: ({ replies }) => `${number(replies)} replies`,
  },
  {
    name: "100,000 lines of nonsense in one write, 200 at a time",
    words: "-k nonsense -c 200 -n 100000",
    network: 78,
    outcome: came,
  },
  {
    name: "commands behind STLS in one segment, 100 at a time",
    words: "-k inject -c 100",
    network: 79,
    outcome: ({ rounds }) => `${number(rounds)} closed`,
    fault: ({ rounds, greeted }) => rounds < greeted / 2 ? `${rounds} were closed` : undefined,
  },
  {
    name: "wrong passwords, one address, 200 at a time",
    words: "-k guess -c 200",
    network: 80,
    outcome: ({ rounds }) => `${number(rounds)} guesses`,
  },
  {
    name: "wrong passwords, 500 addresses, 1,000 at a time",
    words: "-k guess -c 1000 -a 500",
    network: 81,
    outcome: ({ rounds }) => `${number(rounds)} guesses`,
  },
  {
    name: "half a PROXY header, 1,000 at a time",
    words: "-k headless -c 1000",
    network: BALANCERS,
    outcome: came,
  },
  {
    name: "no PROXY header where one is due, 200 at a time",
    words: "-k babble -c 200",
    network: BALANCERS,
    outcome: came,
  },
  {
    name: "behind a load balancer, each from another address, 1,000 at a time",
    words: "-k flood -x -c 1000",
    network: BALANCERS,
    outcome: came,
  },
  {
    name: "the same with wrong passwords",
    words: "-k guess -x -c 1000",
    network: BALANCERS,
    // Of nobody: those whose passwords were guessed before have to wait still.
    firstUser: 1_000,
    outcome: ({ rounds }) => `${number(rounds)} guesses`,
  },
];

export function number(value: number): string {
  return value.toLocaleString("en-US");
}
