/**
 * An operator's session about trust: whose word counts, and how that changes. The real binary against the real
 * server; the steps build on one another and run in their order.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { envelopeKey, signedEnvelope } from "../services/signed-envelope.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { issue, keyPem, pemOf } from "../trust/certificates.ts";
import { openTufRepository, type TufRepository } from "../trust/tuf-repository.ts";
import { DIGEST, openSession, type Session } from "./session.ts";
import { assertEnded } from "./vouchsafe.ts";

let session: Session;
let path: Session["path"];
let $: Session["$"];
let repository: TufRepository;
let trustedRoot: Record<string, unknown>;
const publish = (root: object) => repository.publish({ "trusted_root.json": JSON.stringify(root) });
const isAllowed = async () => (await $("verify-digest", DIGEST, "--policy", "widget-release")).status === 0;

describe("an operator's trust", { skip: UNLESS_LONG }, () => {
  before(async () => {
    session = await openSession();
    ({ path, $ } = session);
    assertEnded(await $("push", "release.json"), 0, "stdout", /^accepted/);
    trustedRoot = JSON.parse(await readFile(path("local.json"), "utf8"));
    repository = await openTufRepository();
    await writeFile(path("root.json"), JSON.stringify(repository.root));
  });
  after(async () => {
    await session?.close();
    await repository?.close();
  });

  test("shows who is believed, for what, and for how long still", async () => {
    const shown = await $("trust", "show");
    assertEnded(
      shown,
      0,
      "stdout",
      /^trust sha256:[0-9a-f]{64}\nsigstore local: asks for logEntries ≥ 1, scts ≥ 1/,
    );
    assert.match(shown.stdout, /^ {2}certificates by .*CN=.* from 20\S+ until 20\S+ \(\d+ days left\)$/m);
    assert.match(shown.stdout, /^ {2}log \S+ from 20\S+ until further notice$/m);
  });

  test("imports keys and authorities beside what is there, and replaces namesakes", async () => {
    const publicKey = () => generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" });
    await writeFile(path("builder.pem"), publicKey());
    const ca = issue("ca", { until: "20300101000000" });
    await writeFile(path("build-ca.crt"), pemOf(ca));
    assertEnded(
      await $("trust", "import", "builder.pem", "--predicate-type", "https://slsa.dev/provenance/v1"),
      0,
      "stdout",
      /^active sha256:\S+ recorded at log index \d+\n$/,
    );
    const uses = ["--use", "attestations", "timestamps"];
    assertEnded(await $("trust", "import", "build-ca.crt", ...uses), 0, "stdout", /^active/);
    const { stdout } = await $("trust", "show");
    assert.match(stdout, /^x509 build-ca for attestations, timestamps: asks for timestamps ≥ 1$/m);
    assert.match(stdout, /^key builder \([0-9a-f]{64}\) for https:\/\/slsa\.dev\/provenance\/v1: asks/m);
    assert.ok(await isAllowed());

    await writeFile(path("builder.pem"), publicKey());
    const printed = await $("trust", "import", "--print", "builder.pem");
    assert.equal(JSON.parse(printed.stdout).keys.length, 1);
    assertEnded(await $("trust", "import", "builder.pem"), 0, "stdout", /it takes trust away/);
  });

  test("is where a push that is refused for its key leads", async () => {
    const { privateKey, pem } = envelopeKey();
    await writeFile(path("mine.json"), signedEnvelope(privateKey).bytes);
    const refused = await $("push", "mine.json");
    assertEnded(
      refused,
      1,
      "stderr",
      /\(unknown-key\)\n {2}`vouchsafe trust show` .* trust import KEY\.pem`\.\n$/,
    );
    await writeFile(path("mine.pem"), pem);
    assertEnded(await $("trust", "import", "mine.pem"), 0, "stdout", /^active/);
    assertEnded(await $("push", "mine.json"), 0, "stdout", /^accepted mine\.json/);
  });

  test("says what cannot be imported", async () => {
    await writeFile(path("private.pem"), keyPem(issue("ca")));
    assertEnded(await $("trust", "import", "private.pem"), 1, "stderr", /code: invalid-trust/);
    assertEnded(await $("trust", "import"), 2, "stderr", /Name the files/);
    assertEnded(await $("trust", "import", "--tuf", repository.url), 2, "stderr", /--root FILE is needed/);
    assertEnded(
      await $("trust", "import", "--tuf", repository.url, "--root", "root.json"),
      3,
      "stderr",
      /code: unavailable/,
    );
  });

  test("takes an instance from a TUF repository, and what is newer there", async () => {
    publish(trustedRoot);
    const source = ["--tuf", repository.url, "--root", "root.json", "--name", "local"];
    assertEnded(await $("trust", "import", ...source), 0, "stdout", /^active/);
    assertEnded(await $("trust", "refresh"), 0, "stdout", /nothing newer is published\n$/);
    const { stdout } = await $("trust", "show");
    assert.match(stdout, /^ {2}updates from http:\S+\n {2}refreshed \S+ from the network, metadata until /m);
    assert.ok(await isAllowed());
  });

  test("activates what takes trust away only when told to", async () => {
    publish({ ...trustedRoot, certificateAuthorities: [] });
    const held = await $("trust", "refresh");
    assertEnded(held, 1, "stderr", /takes trust away, and was not activated/);
    assert.ok(await isAllowed());
    assertEnded(await $("trust", "refresh", "--withdraw"), 0, "stdout", /it takes trust away/);
    assert.ok(!(await isAllowed()));
  });

  test("says why a repository vouches for nothing newer", async () => {
    repository.online = false;
    const { status, stdout } = await $("trust", "refresh");
    assert.equal(status, 0);
    assert.match(stdout, /from the cache, metadata until .*\n {2}\S/);
  });

  test("a project is made with its first operator's token, which is of no other", async () => {
    const made = await session.$("project", "create", "acme");
    assert.equal(made.status, 0, made.stderr);
    assert.match(made.stdout, /^vouchsafe_[0-9a-f]{16}_[\w-]{43}\n$/);
    const token = made.stdout.trim();
    assertEnded(await session.$("project", "ls"), 0, "stdout", /^acme since .*\ndefault since /);
    assertEnded(
      await session.as(token, "project", "ls"),
      1,
      "stderr",
      /for callers of the project default[\s\S]*forbidden/,
    );
    assertEnded(await session.as(token, "--project", "acme", "token", "list"), 0, "stdout", /operator/);
    assertEnded(
      await session.as(token, "--project", "beta", "token", "list"),
      1,
      "stderr",
      /another project/,
    );
    assertEnded(await session.as(token, "--project", "Acme", "token", "list"), 2, "stderr", /and not Acme/);
    assertEnded(await session.$("project", "operator-token", "acme"), 0, "stdout", /^vouchsafe_/);
  });
});
