/** The exit codes of popkeep, after BSD's sysexits(3), so that scripts and systemd can tell failures apart. */

export const ExitCode = {
  ok: 0,
  usage: 64,
  badData: 65,
  noInput: 66,
  noUser: 67,
  unavailable: 69,
  software: 70,
  cannotCreate: 73,
  inputOutput: 74,
  temporary: 75,
  noPermission: 77,
  badSettings: 78,
  interrupted: 130,
} as const;

export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/** What each code means, as the help and the documentation say it. */
export const exitCodeMeanings: Readonly<Record<keyof typeof ExitCode, string>> = {
  ok: "done",
  usage: "the command line is wrong",
  badData:
    "what was given is not usable: a password, a user name; faults in a mailbox (check, repair)",
  noInput: "a file or mailbox is not there",
  noUser: "there is no such user or app password",
  unavailable: "the server cannot start: an address is in use",
  software: "popkeep itself failed; please report it",
  cannotCreate: "a file, user or app password exists already, or a file cannot be made",
  inputOutput: "reading or writing failed, or a mailbox cannot be used",
  temporary: "it failed for now; trying again may help",
  noPermission: "permission is missing, the password is wrong (user test), or no room (deliver)",
  badSettings: "the settings file has faults",
  interrupted: "stopped at the keyboard",
};

/** The exit codes as lines of text, `indent` before each. */
export function exitCodeTable(indent: string): string {
  return Object.entries(exitCodeMeanings).map(([name, meaning]) => {
    const code = ExitCode[name as keyof typeof ExitCode];
    return `${indent}${String(code).padStart(3)}  ${meaning}`;
  }).join("\n");
}
