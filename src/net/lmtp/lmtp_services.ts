/** What LMTP connections reach: who is a recipient, and what becomes of a message. *Does not know* sockets. */

/** The answer about one recipient. */
export interface LmtpReply {
  /** RFC 5321 §4.2. */
  readonly code: number;
  /** RFC 3463, such as 5.1.1. */
  readonly status: string;
  /** Nothing in it that the client sent. */
  readonly text: string;
}

/** Who hands mail over: an address, or the path of the socket of this machine. */
export interface LmtpClient {
  readonly address?: string;
  readonly socket?: string;
}

export interface LmtpMessage<Recipient> {
  readonly client: LmtpClient;
  /** "" is the null sender. */
  readonly sender: string;
  /** In the order in which they were accepted; somebody who was named twice is there twice. */
  readonly recipients: readonly Recipient[];
  /** Throws if the client is gone before the end. */
  readonly octets: AsyncIterable<Uint8Array>;
}

export interface LmtpServices<Recipient extends object = object> {
  /** Never rejects. @param address As it was sent. */
  recipient(address: string, client: LmtpClient): Promise<Recipient | LmtpReply>;
  /**
   * One answer for each recipient, in their order; 250 only where the message is on the disk. Whatever the
   * answers are, all octets have been read.
   *
   * @throws If the message did not come to its end; then nobody has got it.
   */
  deliver(message: LmtpMessage<Recipient>): Promise<readonly LmtpReply[]>;
}

export function isReply(answer: object): answer is LmtpReply {
  return "code" in answer && "status" in answer;
}
