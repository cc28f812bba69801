/**
 * Every call to the disk that sessions make, made to fail with what a full, broken, read-only, forbidden or
 * replaced filesystem says: no message is lost, no unique-id changes, nothing is shown that is not there, and
 * when the fault is over all is whole.
 *
 * The calls are found by watching each operation once; so none is forgotten, under either runtime. A run tries
 * a part of the faults, others each time; `make faults` tries all of them.
 */

import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync } from "node:fs";
import process from "node:process";
import { after, before, test } from "node:test";
import { type RunningServer, startServer } from "../support/server.ts";
import { faultsOf, someOf } from "./disk_errors/faults.ts";
import {
  callsDuring,
  failuresDuring,
  type Fault,
  NOTHING_IS_AT_HAND,
} from "./disk_errors/injector.ts";
import { deliver, messageText, type Operation, OPERATIONS } from "./disk_errors/operations.ts";
import { Shown, Watcher } from "./disk_errors/watcher.ts";

/** Faults that one operation is to meet; "all" that there are by `make faults`. */
const FAULTS = process.env["POPKEEP_DISK_FAULTS"] ?? "12";

/**
 * So many are tried for each that is to be met. Calls are counted a thread and are made to wait on the faulty
 * path only, so that the operation may not come to make the call that was to fail.
 */
const TRIES_PER_FAULT = 3;

/** A run can be repeated with the seed that it printed. */
const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** A mailbox a fault. */
const USERS = 6_000;

let server: RunningServer;
let usersTaken = 0;
let chanceState = SEED >>> 0;

/** How many calls were made to fail, by error. */
const injected = new Map<string, number>();

before(async () => {
  // Calls are counted a thread; with one of them for the disk each operation makes its calls in one order.
  process.env["UV_THREADPOOL_SIZE"] = "1";
  server = await startServer({
    users: Array.from({ length: USERS }, (_, number) => `user${number}`),
    settings: [
      'login_type = "plaintext_login"',
      "enable_exact_rfc822_size = true",
      "max_connections_from_single_address = 1000",
    ].join("\n"),
  });
  delete process.env["UV_THREADPOOL_SIZE"];
});

after(async () => {
  console.log(`Calls to the disk made to fail: ${JSON.stringify(Object.fromEntries(injected))}`);
  await server.stop();
});

function chance(): number {
  chanceState = (Math.imul(chanceState, 1_664_525) + 1_013_904_223) >>> 0;
  return chanceState / 2 ** 32;
}

/** One mailbox and what is known of it. */
class Trial {
  readonly user = `user${usersTaken++}`;
  readonly maildir = server.maildir(this.user);
  readonly watcher = new Watcher(this.maildir, messageText);

  readonly operation: Operation;

  constructor(operation: Operation) {
    this.operation = operation;
  }

  async prepare(): Promise<void> {
    const { operation, maildir, watcher } = this;
    deliver(maildir, operation.messages);
    if (operation.isKnown) watcher.knew(await this.fetchedAll());
    operation.prepare?.(maildir);
    watcher.deliveredAll();
  }

  async fetchedAll(): Promise<Shown> {
    const shown = new Shown();
    const fetch = OPERATIONS.find(({ name }) => name === "TOP and RETR")!;
    await fetch.run(await server.connect(), this.user, shown);
    return shown;
  }

  /** The operation, for whatever it comes to. */
  async run(): Promise<Shown> {
    const shown = new Shown();
    await this.operation.run(await server.connect(), this.user, shown);
    return shown;
  }
}

/** All that can be tried. */
async function allFaultsFor(operation: Operation, always: readonly string[]): Promise<Fault[]> {
  const trial = new Trial(operation);
  await trial.prepare();
  const folder = trial.maildir.path;
  let shown = new Shown();
  const calls = await callsDuring({ processId: server.child.pid!, folder, always }, async () => {
    shown = await trial.run();
  });
  await trial.watcher.met(shown, await trial.fetchedAll());
  return faultsOf(calls.map(({ name, path }) => ({ name, path: path.slice(folder.length) })));
}

/** Those that this run tries. */
async function faultsFor(operation: Operation, always: readonly string[]): Promise<Fault[]> {
  const faults = await allFaultsFor(operation, always);
  return FAULTS === "all" ? faults : someOf(faults, Number(FAULTS) * TRIES_PER_FAULT, chance);
}

/** Whether the fault was met. */
async function tryFault(
  operation: Operation,
  fault: Fault,
  always: readonly string[],
): Promise<boolean> {
  const trial = new Trial(operation);
  await trial.prepare();
  const folder = trial.maildir.path;
  const here = { ...fault, path: fault.path === undefined ? undefined : `${folder}${fault.path}` };
  let faulty = new Shown();
  const failed = await failuresDuring(
    { processId: server.child.pid!, folder, always },
    here,
    async () => {
      faulty = await trial.run();
    },
  );
  injected.set(fault.error, (injected.get(fault.error) ?? 0) + failed);
  trial.watcher.readsList();
  await trial.watcher.met(faulty, await trial.fetchedAll());
  return failed > 0;
}

test("a list that could not be written through to the disk is not believed, but written anew", async () => {
  const operation = OPERATIONS.find(({ name }) => name === "a login after a delivery")!;
  for (const error of ["EIO", "ENOSPC"]) {
    const trial = new Trial(operation);
    await trial.prepare();
    const { path: folder, sidecar } = trial.maildir;
    const before = statSync(sidecar).ino;
    const watching = { processId: server.child.pid!, folder, always: [] };
    let faulty = new Shown();
    const fault = { name: "fdatasync", path: undefined, error, nth: "all" } as const;
    const failed = await failuresDuring(watching, fault, async () => {
      faulty = await trial.run();
      assert.equal(faulty.numbers.length, operation.messages, "the others are served");
      // The lines are in the file by now, and only what it held before is sure to be on the disk.
      const again = await trial.run();
      assert.equal(again.numbers.length, operation.messages, "the others are served");
    });
    assert.ok(failed > 0, "nothing was written through");
    await trial.watcher.met(faulty, await trial.fetchedAll());
    assert.notEqual(statSync(sidecar).ino, before, "it is the file that could not be written");
  }
});

test("a first list that was made in part stays: others may have shown what it says", async () => {
  const operation = OPERATIONS.find(({ name }) => name === "the first login")!;
  for (const [name, error] of [["fsync", "EIO"], ["fdatasync", "ENOSPC"]] as const) {
    const trial = new Trial(operation);
    await trial.prepare();
    const { path: folder, sidecar } = trial.maildir;
    const path = name === "fsync" ? folder : sidecar;
    let faulty = new Shown();
    const failed = await failuresDuring(
      { processId: server.child.pid!, folder, always: [] },
      { name, path, error, nth: "all" },
      async () => {
        faulty = await trial.run();
      },
    );
    assert.ok(failed > 0, `${name} was not made`);
    const made = readFileSync(sidecar, "latin1");
    assert.match(made, /^popkeep-uidlist 1\n(?:.*\n)*\+ /);
    trial.watcher.readsList();
    await trial.watcher.met(faulty, await trial.fetchedAll());
  }
});

test("ids that were shown and are in no file any more are not shown until one holds them", async () => {
  const operation = OPERATIONS.find(({ name }) => name === "a login after a delivery")!;
  const trial = new Trial(operation);
  await trial.prepare();
  const { path: folder, sidecar } = trial.maildir;
  rmSync(sidecar);
  let faulty = new Shown();
  const fault = { name: "openat", path: undefined, error: "ENOSPC", nth: "all" } as const;
  await failuresDuring({ processId: server.child.pid!, folder, always: [] }, fault, async () => {
    faulty = await trial.run();
  });
  assert.equal(faulty.wasRefused, true, "ids are shown that no file holds");
  await trial.watcher.met(faulty, await trial.fetchedAll());
});

for (const operation of OPERATIONS) {
  for (const [how, always] of [["waiting", [NOTHING_IS_AT_HAND]], ["at once", []]] as const) {
    test(`${operation.name}, ${how}, survives each call's failure (POPKEEP_SEED=${SEED})`, async () => {
      let met = 0;
      const faults = await faultsFor(operation, always);
      assert.ok(faults.length > 0);
      const enough = FAULTS === "all" ? faults.length : Math.min(Number(FAULTS), faults.length);
      for (const fault of faults) {
        if (met === enough) break;
        try {
          if (await tryFault(operation, fault, always)) met++;
        } catch (error) {
          throw new Error(`${JSON.stringify(fault)}\n${server.log.slice(-3_000)}`, {
            cause: error,
          });
        }
      }
      assert.ok(met >= enough / 2, `${met} of ${enough} faults were met`);
      assert.ok(!server.log.includes("fault in popkeep"), server.log.slice(-3_000));
    });
  }
}

test("a dead holder's lock that cannot be read costs its time once", async () => {
  const operation = OPERATIONS.find(({ name }) => name.includes("dead holder's lock"))!;
  const always = [NOTHING_IS_AT_HAND];
  const faults = await allFaultsFor(operation, always);
  const fault = faults.find(({ name, path, error, nth }) =>
    /^p?read(64)?$/.test(name) && path === "/popkeep-uidlist.lock" && error === "EIO" &&
    nth === "all"
  );
  // The client waits for half a minute: twice would be too much.
  assert.ok(fault !== undefined && await tryFault(operation, fault, always));
});
