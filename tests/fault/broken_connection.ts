/** Whether what a client's session failed with is the end of its server, and not what the server said. */
export function isBrokenConnection(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return /ECONN|EPIPE|close[sd]|ended|socket/i.test(`${error} ${code}`);
}
