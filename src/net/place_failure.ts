/** A place could not be listened on. The message is a sentence for the operator. */
export class PlaceFailure extends Error {
  override readonly name: string = "PlaceFailure";
  /** Of the system: EADDRINUSE, EACCES, ... */
  readonly code: string;

  constructor(place: string, reason: string, code: string, options?: ErrorOptions) {
    super(`Cannot listen on ${place}: ${reason}`, options);
    this.code = code;
  }
}
