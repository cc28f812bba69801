/** Why an old server's mailbox cannot be read. What the server said is in the message as it came. */

/**
 * - `unreachable`: no connection, no answer in time, a connection that ended: trying later may help.
 * - `refused`: it does not let us in.
 * - `unusable`: it answers, but not what is needed, or its certificate is not to be trusted.
 */
export type OldServerFaultKind = "unreachable" | "refused" | "unusable";

export class OldServerFault extends Error {
  override readonly name = "OldServerFault";
  readonly kind: OldServerFaultKind;

  constructor(kind: OldServerFaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
