/**
 * What is said of mail that is refused, by LMTP's answers and by `popkeep deliver`. Mail systems put it into the
 * bounce, and so a stranger reads it: no path of the settings is in it, and not how much mail anybody has.
 */

export const NO_SUCH_USER = "there is no such user here";

/** A short message may still find room: the mailbox need not be full. */
export const NO_ROOM = "there is no room for it in the mailbox's quota";
