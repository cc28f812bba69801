/**
 * Who takes part, and what each is called.
 *
 * *Knows* the names of the scripts in peers/. *Does not know* how a server is started or measured.
 */

export interface Server {
  /** As in `PEERS=`; but for the limits and `cat` there is a peers/NAME.sh. */
  readonly name: string;
  /**
   * popkeep: what is being judged. peer: what it is judged by. limit: no server, but a program that shows
   * what the machine can do.
   */
  readonly kind: "popkeep" | "peer" | "limit";
  /** Driven over TLS from the first octet. */
  readonly tls: boolean;
  /** As the page calls it. */
  readonly title: string;
}

/** In this order they are measured: popkeep right after the peer that is mostly the best. */
export const SERVERS: readonly Server[] = [
  { name: "courier", kind: "peer", tls: false, title: "Courier" },
  { name: "solid-pop3d", kind: "peer", tls: false, title: "solid-pop3d" },
  { name: "dovecot-default", kind: "peer", tls: false, title: "Dovecot, default" },
  { name: "dovecot-fast", kind: "peer", tls: false, title: "Dovecot, tuned" },
  { name: "popkeep", kind: "popkeep", tls: false, title: "popkeep" },
  { name: "popkeep-2", kind: "popkeep", tls: false, title: "popkeep, 2 workers" },
  { name: "dovecot-default-tls", kind: "peer", tls: true, title: "Dovecot, default, TLS" },
  { name: "dovecot-fast-tls", kind: "peer", tls: true, title: "Dovecot, tuned, TLS" },
  { name: "popkeep-tls", kind: "popkeep", tls: true, title: "popkeep, TLS" },
  { name: "raw-convert", kind: "limit", tls: false, title: "raw-convert" },
  { name: "raw-sendfile", kind: "limit", tls: false, title: "raw-sendfile" },
];

/** What the page calls the server; names that are only in results, such as `cat`, stand for themselves. */
export function titleOf(name: string): string {
  return SERVERS.find((server) => server.name === name)?.title ?? name;
}
