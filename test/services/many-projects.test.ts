/** One server for hundreds of tenants: `VOUCHSAFE_LONG=1`. It prints what it took. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readHead } from "../../src/db/log.ts";
import { verifyDigest } from "../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import type { TestNode } from "../http/node.ts";
import { openTenant, provenance, type Tenant } from "../http/tenant.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "./release-node.ts";

const PROJECTS = 300;
const ROUNDS = 5;
const skip = UNLESS_LONG;

let house: ReleaseHouse;
let node: TestNode;
before(async () => {
  if (skip) return;
  house = await openReleaseHouse();
  node = await house.open();
});
after(() => house?.close());

const megabytes = () => Math.round(process.memoryUsage().rss / 1024 / 1024);
const callerOf = ({ id }: Tenant) => ({ ...callerWith(node, ["issuer", "uploader"]), project: id });

test(`a server of ${PROJECTS} projects decides in each, and rests while nobody asks`, { skip }, async (t) => {
  const { v } = node;
  const before = { memory: megabytes(), at: performance.now() };
  const tenants: Tenant[] = [];
  for (let i = 0; i < PROJECTS; i += 1) tenants.push(await openTenant(house, node, `tenant-${i}`));
  const { digest, bundle } = await provenance(house);
  for (const tenant of tenants) await pushAttestation(v, callerOf(tenant), { bytes: bundle });
  const made = performance.now();

  const took: number[] = [];
  const first: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const tenant of tenants) {
      const begun = performance.now();
      const { decision } = await verifyDigest(v, callerOf(tenant), { digest });
      (round === 0 ? first : took).push(performance.now() - begun);
      assert.equal(decision, "allow", tenant.name);
    }
  }
  const transactions = async () => {
    await sleep(1_500); // What a session did stands in the statistics a second later.
    const [row] = await v.database.transaction((query) =>
      query<{ count: number }>(
        "select (xact_commit + xact_rollback)::int as count from pg_stat_database where datname = current_database()",
      ),
    );
    return row?.count ?? 0;
  };
  const { size } = await readHead(v.database.kysely);
  const SECONDS = 5;
  let perSecond = Number.POSITIVE_INFINITY;
  // A connection that rests may tell what it did before a while later: that is the first window's alone.
  for (let window = 0; window < 3; window += 1) {
    const counted = await transactions();
    await sleep(SECONDS * 1_000);
    perSecond = Math.min(perSecond, ((await transactions()) - counted) / (SECONDS + 1.5));
  }
  assert.equal((await readHead(v.database.kysely)).size, size, "nothing is written while nobody asks");
  const said = {
    "MB before": before.memory,
    "MB after": megabytes(),
    "ms to make each": ((made - before.at) / PROJECTS).toFixed(1),
    "ms of a first decision (median, worst)": [atPart(first, 0.5), atPart(first, 1)].join(", "),
    "ms of a later one (median, 99 %)": [atPart(took, 0.5), atPart(took, 0.99)].join(", "),
    "transactions a second at rest": perSecond.toFixed(1),
  };
  for (const [what, value] of Object.entries(said)) t.diagnostic(`${what}: ${value}`);
  // One question for all projects and not one for each: some twenty, however many there are.
  assert.ok(perSecond < PROJECTS / 4, `${perSecond} transactions a second`);
});

function atPart(times: readonly number[], part: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(2);
}
