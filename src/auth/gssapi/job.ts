/**
 * What the threads for Kerberos are asked and what they answer. A security context is known by its
 * address: it belongs to the process, so that any thread can go on with it, one at a time.
 */

/** How incoming tickets are opened. */
export interface KeytabUse {
  /** Absolute path of the keytab. */
  readonly keytab: string;
  /** Absolute path of the file in which used tokens are kept; undefined: where the library keeps them. */
  readonly replayCache: string | undefined;
}

export type GssapiJob =
  /** Whether the library and the keytab are there and fit. */
  | { readonly kind: "check"; readonly use: KeytabUse }
  | {
    readonly kind: "accept";
    readonly use: KeytabUse;
    /** 0n for a new one. */
    readonly context: bigint;
    readonly token: Uint8Array;
    /** Application data of the channel that the context runs in; undefined: not looked at. */
    readonly channelBinding: Uint8Array | undefined;
  }
  | { readonly kind: "wrap"; readonly context: bigint; readonly octets: Uint8Array }
  | { readonly kind: "unwrap"; readonly context: bigint; readonly token: Uint8Array }
  | { readonly kind: "release"; readonly context: bigint };

export type GssapiAnswer =
  | { readonly kind: "right"; readonly realms: readonly string[] }
  | { readonly kind: "continue"; readonly context: bigint; readonly token: Uint8Array }
  | {
    readonly kind: "complete";
    readonly context: bigint;
    /** Of no octets if there is none. */
    readonly token: Uint8Array;
    /** As the library writes it. */
    readonly principal: Uint8Array;
    readonly anonymous: boolean;
    /** The client has bound the context to the channel. */
    readonly bound: boolean;
    /** Those of the keytab's own entries of the service. */
    readonly realms: readonly string[];
  }
  | { readonly kind: "octets"; readonly octets: Uint8Array }
  | { readonly kind: "released" }
  /** The client's fault. No context is left of an `accept`. */
  | { readonly kind: "refused"; readonly reason: string; readonly detail: string }
  /** Ours. No context is left of an `accept`. */
  | { readonly kind: "failed"; readonly reason: string; readonly detail: string };
