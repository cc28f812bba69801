/** The argument that makes a process of this program the daily pass of a server. Nobody types it. */
export const DAILY_PASS = "daily-pass";
