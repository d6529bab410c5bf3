import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { INSTALLATION, PROJECT_CHAIN } from "../../../src/custody/events.ts";
import { readChain } from "../../../src/db/log.ts";
import { ownAuthorityKeys } from "../../../src/identity/authority-files.ts";
import { AUTHORITY_EVENTS } from "../../../src/identity/authority-history.ts";
import { LINGERS, LONGEST_SVID } from "../../../src/identity/authority-rotation.ts";
import {
  AUTHORITY_EXTENSIONS,
  keyIdentifierOf,
  subjectKeyIdentifier,
} from "../../../src/identity/certificate-extensions.ts";
import { time, writeCertificate } from "../../../src/identity/certificate-writer.ts";
import { validateJwtSvid } from "../../../src/identity/jwt-svid.ts";
import { parseTrustDomain, spiffeId } from "../../../src/identity/spiffe-id.ts";
import { serialFrom } from "../../../src/identity/x509-svid.ts";
import { validateX509Svid } from "../../../src/identity/x509-validation.ts";
import { writePrivateKey } from "../../../src/private-key.ts";
import { listAuthorities, retireAuthority } from "../../../src/services/identities/authorities.ts";
import { watchIdentities } from "../../../src/services/identities/watch-identities.ts";
import { writePem } from "../../../src/x509/pem.ts";
import { x509Signer } from "../../../src/x509/signatures.ts";
import { assertDescribed } from "../../http/described.ts";
import type { TestNode } from "../../http/node.ts";
import { commonName, p256 } from "../../identity/signing-requests.ts";
import { GROUNDS, MINUTE, testAuthority } from "../../identity/trust-domain.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";
import { agentCaller, joinThroughDoor, proven } from "./identity-house.ts";

const OVERLAP = 15 * MINUTE;
const YEAR = 365 * 24 * 60 * MINUTE;
const trustDomain = parseTrustDomain("vouchsafe.local");
const ID = spiffeId(trustDomain, "/widget");

/** Keys of its own, in its own data directory. */
const OWN = { VOUCHSAFE_CA_CERT: "", VOUCHSAFE_CA_KEY: "", VOUCHSAFE_JWT_KEY: "" };

/** Both kinds of SVIDs by one node hold under the bundle that another one serves. */
async function assertBelieved(issuer: TestNode, verifier: TestNode): Promise<void> {
  const now = issuer.v.clock();
  const authority = issuer.v.authority.current();
  const bundle = verifier.v.authority.bundle();
  const times = { notBefore: now, notAfter: now + MINUTE };
  const serial = serialFrom(randomBytes(16));
  const { spki } = p256();
  const svid = await authority.x509({ spki, spiffeId: ID, serial, ...times, grounds: GROUNDS });
  assert.equal(validateX509Svid([svid, ...authority.chain], bundle, now).spiffeId, ID);
  const jwt = { audiences: ["a"], issuedAt: now, expiresAt: now + MINUTE, jti: "a", grounds: GROUNDS };
  const token = await authority.jwt({ spiffeId: ID, ...jwt });
  assert.equal(validateJwtSvid(token, bundle, "a", now).spiffeId, ID);
}

const notYet = { code: "unavailable" };

describe("the authorities of nodes on one database", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let directory: string;
  let one: TestNode;
  let two: TestNode;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-authority-"));
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
    one = await house.open({ ...OWN, VOUCHSAFE_DATA_DIR: join(directory, "one") });
  });
  after(async () => {
    await house.close();
    await rm(directory, { recursive: true, force: true });
    await postgres.drop();
    await stopPostgres();
  });

  async function events() {
    const page = { types: AUTHORITY_EVENTS };
    return readChain(one.v.database.kysely, INSTALLATION, PROJECT_CHAIN, page);
  }
  const types = async () => (await events()).map(({ type }) => type.slice("authority.".length));
  const sequences = () => [one, two].map(({ v }) => v.authority.bundle().sequence);

  test("the first signs at once", async () => {
    assert.deepEqual(await types(), ["prepared", "activated"]);
    assert.equal(one.v.authority.bundle().sequence, (await events())[0]?.index);
    await assertBelieved(one, one);
  });

  test("another node's is prepared, and says when it signs; its SVIDs are believed by the first then", async () => {
    two = await house.open({ ...OWN, VOUCHSAFE_DATA_DIR: join(directory, "two") });
    assert.throws(
      () => two.v.authority.current(),
      (error: { code: string; extensions: { retryAfter: number } }) => {
        assert.ok(error.extensions.retryAfter > 800 && error.extensions.retryAfter <= 900);
        return error.code === "unavailable";
      },
    );
    assert.match(two.v.warnings.join(), /signs from/);
    await one.v.authority.turn();
    assert.equal(one.v.authority.bundle().x509Authorities.length, 2);
    assert.deepEqual(sequences()[0], sequences()[1]);

    two.advance(OVERLAP - MINUTE);
    await two.v.authority.turn();
    assert.throws(() => two.v.authority.current(), notYet);
    two.advance(MINUTE + 1);
    await two.v.authority.turn();
    await assertBelieved(two, one);
    await assertBelieved(one, two);
    assert.deepEqual(await types(), ["prepared", "activated", "prepared", "activated"]);
    assert.deepEqual(sequences()[0], sequences()[1]);
  });

  test("of a node that crashed after it made its keys is prepared at its next start", async () => {
    const dataDir = join(directory, "crashed");
    await mkdir(dataDir);
    await ownAuthorityKeys(dataDir, { trustDomain, passphrase: undefined, life: YEAR }).make(Date.now());
    const before = await readFile(join(dataDir, "authority-1.pem"), "utf8");
    const node = await house.open({ ...OWN, VOUCHSAFE_DATA_DIR: dataDir });
    assert.throws(() => node.v.authority.current(), notYet);
    assert.equal(await readFile(join(dataDir, "authority-1.pem"), "utf8"), before);
    assert.equal((await types()).at(-1), "prepared");
    await node.close();
    const again = await house.open({ ...OWN, VOUCHSAFE_DATA_DIR: dataDir });
    assert.equal((await events()).length, 5);
    assert.deepEqual(
      await readdir(dataDir).then((names) => names.filter((name) => /^authority/.test(name))),
      ["authority-1.pem"],
    );
    await again.close();
  });

  test("are of one trust domain", async () => {
    const elsewhere = { ...OWN, VOUCHSAFE_TRUST_DOMAIN: "elsewhere.example" };
    await assert.rejects(house.open(elsewhere), { code: "configuration-invalid" });
    assert.equal((await events()).length, 5);
  });

  test("that an operator takes back is in no bundle, and its node signs with another once that is known", async () => {
    const operator = callerWith(one, ["operator"]);
    const agent = await joinThroughDoor(two, "node-1");
    const { id } = two.v.authority.current();
    const taken = { authority: id, reason: "stolen" };
    const { receipt, believedBy } = await retireAuthority(one.v, operator, taken);
    assert.deepEqual(believedBy, []);
    assert.equal(one.v.authority.bundle().sequence, receipt.index);
    // Who was told that the log has grown, and asks another node for the sake of it, gets nothing that it signed.
    await two.v.projection.caughtUp(receipt.index + 1, 10_000);
    assert.throws(() => two.v.authority.current(), notYet);
    // The agent that it certified is in the log with its key, and goes on with any node; what it holds does not.
    const watch = proven(agent, { method: "GET", path: "/identities/watch" }, two.v.clock());
    assert.equal((await two.app.inject(watch)).statusCode, 200);
    const held = () => validateX509Svid(agent.chain, two.v.authority.bundle(), two.v.clock());
    assert.throws(held, { code: "invalid-svid" });
    const ended = new AbortController();
    const { touched } = await watchIdentities(two.v, agentCaller(two), receipt.index, ended.signal);
    assert.deepEqual(touched, ["*"]);
    await two.v.authority.turn();
    assert.deepEqual(
      (await readdir(join(directory, "two"))).filter((name) => /^authority/.test(name)),
      ["authority-2.pem"],
    );
    const { authorities } = await listAuthorities(one.v);
    assert.deepEqual(authorities.find(({ authority }) => authority === id)?.reason, "stolen");
    const authorization = `Bearer ${await one.token(["operator"])}`;
    const listed = await one.app.inject({ url: "/authorities", headers: { authorization } });
    assertDescribed(one.app, "GET /authorities", listed);
    assert.deepEqual(listed.json(), { authorities });
    await assert.rejects(retireAuthority(one.v, operator, { authority: id, reason: "again" }), {
      code: "not-found",
    });
    two.advance(OVERLAP + 1);
    await two.v.authority.turn();
    await one.v.authority.turn();
    await assertBelieved(two, one);
  });

  test("rotate in the last third of their life, with overlap, and are retired after their end", async () => {
    const first = one.v.authority.current();
    one.advance((2 * YEAR) / 3 + 24 * 60 * MINUTE);
    await one.v.authority.turn();
    assert.equal(one.v.authority.current().id, first.id);
    one.advance(OVERLAP + 1);
    await one.v.authority.turn();
    const second = one.v.authority.current();
    assert.notEqual(second.id, first.id);
    await assertBelieved(one, one);
    assert.ok(one.v.authority.history().get(first.id)?.retired === undefined);
    // Until what the first one signed has ended it signs what says that something of it is revoked.
    assert.deepEqual(
      one.v.authority.signers().map(({ id }) => id),
      [first.id, second.id],
    );
    one.advance(LONGEST_SVID + MINUTE);
    await one.v.authority.turn();
    assert.deepEqual(
      (await readdir(join(directory, "one"))).filter((name) => /^authority/.test(name)),
      ["authority-2.pem"],
    );
    one.advance(first.until - one.v.clock() + LINGERS + 1);
    await one.v.authority.turn();
    assert.equal(one.v.authority.history().get(first.id)?.retired?.byOperator, false);
    assert.equal(one.v.authority.current().id, second.id);
  });
});

describe("an authority that is given", () => {
  let house: ReleaseHouse;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-given-"));
    house = await openReleaseHouse();
  });
  after(async () => {
    await house.close();
    await rm(directory, { recursive: true, force: true });
  });

  const pki = testAuthority("vouchsafe.local", Date.now());
  const path = (name: string) => join(directory, name);

  /** An issuing certificate below the root, with a new key. */
  async function writeIssuing(): Promise<void> {
    const { key, spki } = p256();
    const signer = x509Signer(pki.keys.ca);
    assert.ok(signer);
    const now = Date.now();
    const der = writeCertificate(
      {
        serial: serialFrom(randomBytes(16)),
        issuer: pki.root.subject,
        subject: commonName("issuing"),
        notBefore: time(now - MINUTE),
        notAfter: time(now + YEAR),
        spki,
        extensions: [...AUTHORITY_EXTENSIONS, subjectKeyIdentifier(keyIdentifierOf(spki))],
      },
      signer,
    );
    await writeFile(path("chain.pem"), writePem("CERTIFICATE", der) + writePem("CERTIFICATE", pki.root.der));
    await writeFile(path("key.pem"), writePrivateKey(key));
  }

  test("may get another issuing certificate while a node runs, and nobody's bundle changes", async () => {
    await writeIssuing();
    await writeFile(path("jwt.pem"), writePrivateKey(pki.keys.jwt, "correct horse battery staple"));
    await writeFile(path("passphrase"), "correct horse battery staple\n");
    const settings = {
      VOUCHSAFE_CA_CERT: path("chain.pem"),
      VOUCHSAFE_CA_KEY: path("key.pem"),
      VOUCHSAFE_JWT_KEY: path("jwt.pem"),
      VOUCHSAFE_KEY_PASSPHRASE_FILE: path("passphrase"),
    };
    const node = await house.open(settings);
    const [before, bundle] = [node.v.authority.current(), node.v.authority.bundle()];
    await assertBelieved(node, node);

    await writeIssuing();
    await node.v.authority.reread();
    await node.v.authority.turn();
    const after = node.v.authority.current();
    assert.notDeepEqual(after.chain, before.chain);
    assert.equal(after.id, before.id);
    assert.equal(node.v.authority.bundle(), bundle);
    await assertBelieved(node, node);

    // Half of what is replaced is no authority: the one before it goes on.
    await copyFile(path("jwt.pem"), path("key.pem"));
    await assert.rejects(node.v.authority.reread(), { code: "configuration-invalid" });
    await assertBelieved(node, node);

    // Another key for JWT-SVIDs is another authority: it signs when it is known.
    await writeIssuing();
    await writeFile(path("jwt.pem"), writePrivateKey(p256().key));
    await node.v.authority.reread();
    await node.v.authority.turn();
    assert.equal(node.v.authority.current().id, before.id);
    assert.equal(node.v.authority.bundle().jwtAuthorities.size, 2);
    assert.equal(node.v.authority.bundle().x509Authorities.length, 1);
    node.advance(OVERLAP + 1);
    await node.v.authority.turn();
    assert.notEqual(node.v.authority.current().id, before.id);
    await assertBelieved(node, node);
  });
});
