import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  type ClientCertificatesOptions,
  openClientCertificates,
} from "../../../src/auth/client_certificates/client_certificates.ts";
import type { Validity } from "../../../src/auth/client_certificates/client_identity.ts";
import type { SecureChannel } from "../../../src/auth/secure_channel.ts";
import { Authority, type Issued } from "../../support/authority.ts";

const DAY_MS = 86_400_000;

const folder = mkdtempSync(join(tmpdir(), "popkeep-certificates-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const root = new Authority(folder, "Root");
const department = new Authority(folder, "Department", root);
const stranger = new Authority(folder, "Stranger");
const both = root.certificate + department.certificate;

const issue = (authority: Authority) =>
  authority.issue({ commonName: "alice", alternatives: ["email:alice@example.com"] });
const alice = issue(root);
const worker = issue(department);
const former = issue(root);
const formerWorker = issue(department);

const early = root.revocationList();
root.revoke(former);
const late = root.revocationList();
department.revoke(formerWorker);

function channelOf(
  { certificate }: Pick<Issued, "certificate">,
  clientAuthorities = both,
): SecureChannel {
  return {
    serverCertificate: undefined,
    clientCertificate: new X509Certificate(certificate).raw,
    clientAuthorities,
    exporter: () => undefined,
  };
}

let files = 0;

function fileWith(content: string | Uint8Array): string {
  const path = join(folder, `list${++files}.pem`);
  writeFileSync(path, content);
  return path;
}

interface Setting extends Partial<ClientCertificatesOptions> {
  /** The contents of list files. */
  readonly lists?: readonly (string | Uint8Array)[];
}

function open({ lists = [], ...options }: Setting = {}) {
  return openClientCertificates({
    authorities: both,
    userName: "email",
    revocationLists: lists.map(fileWith),
    ...options,
  });
}

async function validity(issued: Issued, setting: Setting = {}): Promise<Validity | undefined> {
  const { authorities = both } = setting;
  return await (await open(setting)).identityOf(channelOf(issued, authorities))?.validity();
}

test("the identity has the names of the setting's kind", async () => {
  const identity = (await open()).identityOf(channelOf(alice));
  deepStrictEqual(identity?.names, ["alice@example.com"]);
  const byName = await open({ userName: "common_name" });
  deepStrictEqual(byName.identityOf(channelOf(alice))?.names, ["alice"]);
});

test("there is no identity without TLS, without a certificate or without a name in it", async () => {
  const certificates = await open({ userName: "upn" });
  strictEqual(certificates.identityOf(undefined), undefined);
  strictEqual(
    certificates.identityOf({ ...channelOf(alice), clientCertificate: undefined }),
    undefined,
  );
  strictEqual(certificates.identityOf(channelOf(alice)), undefined);
  const clientCertificate = Buffer.from("no certificate");
  strictEqual(certificates.identityOf({ ...channelOf(alice), clientCertificate }), undefined);
});

test("a certificate that was verified by authorities gone by is none", async () => {
  const certificates = await open({ authorities: department.certificate });
  strictEqual(certificates.identityOf(channelOf(alice)), undefined);
  strictEqual(certificates.identityOf(channelOf(worker)), undefined);
  ok(certificates.identityOf(channelOf(worker, department.certificate)) !== undefined);
});

test("authorities without a certificate among them are refused", async () => {
  await rejects(open({ authorities: "hello" }), /no certificate in PEM/);
});

test("without lists a certificate holds between its dates", async () => {
  strictEqual(await validity(alice), "yes");
  for (const days of [-2, 31]) {
    strictEqual(await validity(alice, { nowMs: () => Date.now() + days * DAY_MS }), "no");
  }
});

test("a certificate that is not on its issuer's list holds", async () => {
  strictEqual(await validity(alice, { lists: [late] }), "yes");
});

test("a certificate that is on its issuer's list does not", async () => {
  strictEqual(await validity(former, { lists: [late] }), "no");
});

test("a list in DER is read, and several in a file or in several files", async () => {
  const der = Buffer.from(late.replace(/-----[^-]+-----/g, ""), "base64");
  strictEqual(await validity(former, { lists: [der] }), "no");
  const all = [late + department.revocationList()];
  strictEqual(await validity(former, { lists: all }), "no");
  strictEqual(await validity(formerWorker, { lists: all }), "no");
  const apart = [late, department.revocationList()];
  strictEqual(await validity(worker, { lists: apart }), "yes");
  strictEqual(await validity(formerWorker, { lists: apart }), "no");
});

test("who is on any list of the issuer is on it", async () => {
  strictEqual(await validity(former, { lists: [late, early] }), "no");
  strictEqual(await validity(former, { lists: [early, late] }), "no");
});

test("a list of another issuer says nothing", async () => {
  strictEqual(await validity(worker, { lists: [late] }), "unknown");
  strictEqual(await validity(alice, { lists: [department.revocationList()] }), "unknown");
});

test("with lists each issuer below the root needs one", async () => {
  strictEqual(await validity(worker, { lists: [department.revocationList()] }), "unknown");
});

test("a revoked authority takes all that it issued with it", async () => {
  const parent = new Authority(folder, "Parent");
  const child = new Authority(folder, "Child", parent);
  const issued = issue(child);
  const authorities = parent.certificate + child.certificate;
  const before = [parent.revocationList(), child.revocationList()];
  strictEqual(await validity(issued, { authorities, lists: before }), "yes");
  parent.revoke(child);
  const after = [parent.revocationList(), child.revocationList()];
  strictEqual(await validity(issued, { authorities, lists: after }), "no");
});

test("of two authorities with one name, the one whose key signed is the issuer", async () => {
  const [rootA, rootB] = [new Authority(folder, "Root A"), new Authority(folder, "Root B")];
  const midA = new Authority(join(folder, "Root_A"), "Mid", rootA);
  const midB = new Authority(join(folder, "Root_B"), "Mid", rootB);
  const authorities = [rootA, midA, rootB, midB].map(({ certificate }) => certificate).join("");
  const lists = [rootB.revocationList(), midB.revocationList()];
  strictEqual(await validity(issue(midB), { authorities, lists }), "yes");
});

test("an authority whose issuer is not named is trusted for itself", async () => {
  const lists = [department.revocationList()];
  strictEqual(await validity(worker, { authorities: department.certificate, lists }), "yes");
});

test("a list that is out of date, or not yet in force, lets nobody in", async () => {
  const lists = [root.revocationList({ updated: -2, nextUpdate: 2 })];
  for (const [days, expected] of [[0, "yes"], [3, "unknown"], [-3, "no"]] as const) {
    const nowMs = () => Date.now() + days * DAY_MS;
    strictEqual(await validity(alice, { lists, nowMs }), expected, `${days} days from now`);
  }
  const future = [root.revocationList({ updated: 1, nextUpdate: 2 })];
  strictEqual(await validity(alice, { lists: future }), "unknown");
});

test("who is on a list that is out of date is still revoked", async () => {
  const lists = [root.revocationList({ updated: -3, nextUpdate: -1 })];
  strictEqual(await validity(former, { lists }), "no");
});

test("files that are no lists of the authorities are a fault at the start", async () => {
  const forged = (() => {
    // The name of the root, the key of somebody else.
    const other = new Authority(join(folder, "Stranger"), "Root");
    return other.revocationList();
  })();
  const der = Buffer.from(late.replace(/-----[^-]+-----/g, ""), "base64");
  const changed = Buffer.from(der);
  changed[changed.length - 5]! ^= 1;
  // The identifier of ecdsa-with-SHA256 outside of what is signed becomes that of ecdsa-with-SHA384.
  const relabelled = Buffer.from(der);
  const identifier = Buffer.from("2a8648ce3d040302", "hex");
  relabelled[relabelled.lastIndexOf(identifier) + 7] = 3;
  const noSigner = new Authority(folder, "No Signer", undefined, "keyCertSign");
  const partial = root.revocationList({
    extensions: ["issuingDistributionPoint = critical,@part", "[part]", "onlyuser = TRUE"],
  });
  for (
    const [content, reason] of [
      ["", /neither in PEM nor in DER/],
      ["-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", /cannot be used/],
      [alice.certificate, /cannot be used/],
      [stranger.revocationList(), /its issuer is none of the authorities/],
      [noSigner.revocationList(), /its signature is not that of its issuer/],
      [forged, /its signature is not that of its issuer/],
      [changed, /its signature is not that of its issuer/],
      [relabelled, /the algorithm of the signature is not the one that was signed/],
      [partial, /critical extension 2\.5\.29\.28/],
      [late + forged, /its signature is not that of its issuer/],
      [Buffer.alloc(17_000_000, 0x30), /octets/],
    ] as const
  ) {
    const authorities = both + noSigner.certificate;
    await rejects(() => open({ authorities, lists: [content] }), { message: reason });
  }
});

test("a list that is not there is a fault at the start that names it", async () => {
  const path = join(folder, "nowhere.pem");
  await rejects(() => open({ revocationLists: [path] }), { message: /nowhere\.pem/ });
});

test("a list that changes is read again, for connections that were there before", async () => {
  const path = fileWith(early);
  let nowMs = Date.now();
  const certificates = await open({ revocationLists: [path], nowMs: () => nowMs });
  const identity = certificates.identityOf(channelOf(former));
  strictEqual(await identity?.validity(), "yes");
  writeFileSync(`${path}.new`, late);
  renameSync(`${path}.new`, path);
  strictEqual(await identity?.validity(), "yes", "it is looked at once a second");
  nowMs += 1_000;
  strictEqual(await identity?.validity(), "no");
});

test("a list that was written twice within a tick of the clock is read again", async () => {
  // The same inode, size and time, as far as a look can tell.
  const length = 10 + Math.max(early.length, late.length);
  const time = new Date();
  const path = fileWith(early.padEnd(length, "\n"));
  utimesSync(path, time, time);
  let nowMs = time.getTime();
  const certificates = await open({ revocationLists: [path], nowMs: () => nowMs });
  writeFileSync(path, late.padEnd(length, "\n"));
  utimesSync(path, time, time);
  nowMs += 1_000;
  strictEqual(await certificates.identityOf(channelOf(former))?.validity(), "no");
});

test("a list that cannot be used any more holds as it was, and then not", async () => {
  const path = fileWith(root.revocationList({ nextUpdate: 5 }));
  let nowMs = Date.now();
  const certificates = await open({ revocationLists: [path], nowMs: () => nowMs });
  const now = certificates.identityOf(channelOf(alice));
  for (const broken of ["", late.slice(0, 200), stranger.revocationList()]) {
    writeFileSync(path, broken);
    nowMs += 10_000;
    strictEqual(await now?.validity(), "yes");
    strictEqual(await certificates.identityOf(channelOf(former))?.validity(), "no");
  }
  rmSync(path);
  nowMs += 10_000;
  strictEqual(await now?.validity(), "yes");
  nowMs += 6 * DAY_MS;
  strictEqual(await now?.validity(), "unknown");
  writeFileSync(path, root.revocationList());
  strictEqual(await now?.validity(), "unknown", "it is looked at once a second");
  nowMs += 10_000;
  strictEqual(await now?.validity(), "yes");
});
