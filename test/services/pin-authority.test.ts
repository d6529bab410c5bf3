import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { INSTALLATION, PROJECT_CHAIN } from "../../src/custody/events.ts";
import { readChain } from "../../src/db/log.ts";
import { openAuthority } from "../../src/identity/authority.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import type { TestNode } from "../http/node.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { openReleaseHouse, type ReleaseHouse } from "./release-node.ts";

const refused = { name: "VouchsafeError", code: "configuration-invalid" };

describe("the authority of nodes on one database", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let node: TestNode;
  let directory: string;
  /** Settings with a new authority's files. */
  let another: Record<string, string>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-authority-"));
    await openAuthority({
      trustDomain: parseTrustDomain("vouchsafe.local"),
      dataDir: directory,
      clock: Date.now,
    });
    another = {
      VOUCHSAFE_CA_CERT: join(directory, "x509-authority.pem"),
      VOUCHSAFE_CA_KEY: join(directory, "x509-authority.pem"),
      VOUCHSAFE_JWT_KEY: join(directory, "jwt-authority.pem"),
    };
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
    [node] = await Promise.all([house.open(), house.open(), house.open()]);
  });
  after(async () => {
    await house.close();
    await rm(directory, { recursive: true, force: true });
    await postgres.drop();
    await stopPostgres();
  });

  async function activations() {
    const wide = await readChain(node.v.database.kysely, INSTALLATION, PROJECT_CHAIN);
    return wide.filter(({ type }) => type === "authority.activated").map(({ body }) => body);
  }

  test("is named once by nodes that start at once, and again by none that has the same", async () => {
    await house.open();
    const [first, ...others] = await activations();
    assert.equal(others.length, 0);
    assert.equal(first?.jwtKeyId, [...node.v.authority.bundle().jwtAuthorities.keys()][0]);
    assert.equal(first?.previous, null);
  });

  test("is not another's: neither with another root nor with another key for JWT-SVIDs", async () => {
    await assert.rejects(house.open(another), refused);
    const { VOUCHSAFE_JWT_KEY = "" } = another;
    await assert.rejects(house.open({ VOUCHSAFE_JWT_KEY }), refused);
    assert.equal((await activations()).length, 1);
  });

  test("is replaced when an operator names it, once and for all nodes", async () => {
    const [first] = await activations();
    const replaces = { VOUCHSAFE_REPLACES_AUTHORITY: String(first?.authority) };
    await assert.rejects(
      house.open({ ...another, VOUCHSAFE_REPLACES_AUTHORITY: `sha256:${"0".repeat(64)}` }),
      refused,
    );
    await house.open({ ...another, ...replaces });
    await house.open({ ...another, ...replaces });
    const [, second, ...others] = await activations();
    assert.equal(second?.previous, first?.authority);
    assert.equal(others.length, 0);
    await assert.rejects(house.open(replaces), refused);
  });
});
