/** The argument that makes a process of this program a worker; its number follows. Nobody types it. */
export const WORKER = "worker";
