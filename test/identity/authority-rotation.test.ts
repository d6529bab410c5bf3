import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AuthorityHistory, believed, bundleSequence } from "../../src/identity/authority-history.ts";
import {
  LINGERS,
  MAX_BELIEVED,
  nextStep,
  signingAuthority,
  signsFrom,
} from "../../src/identity/authority-rotation.ts";
import { authorityId } from "../../src/identity/believed-authorities.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import type { Certificate } from "../../src/x509/certificate.ts";
import fc from "../support/fc.ts";
import { IS_LONG } from "../support/long.ts";
import { MINUTE, testAuthority } from "./trust-domain.ts";

const DAY = 24 * 60 * MINUTE;
const YEAR = 365 * DAY;
const START = Date.UTC(2026, 0, 1);
const OVERLAP = 15 * MINUTE;
const REFRESH = 5 * MINUTE;
const LONGEST_SVID = 60 * MINUTE;
const trustDomain = parseTrustDomain("example.org");

const template = testAuthority("example.org", START);
let made = 0;

/** An authority of this life. Only its name and its times matter here, so its key is that of all others. */
function madeAt(now: number, life: number) {
  made += 1;
  const der = Buffer.concat([template.root.der, Buffer.from(String(made))]);
  const root: Certificate = { ...template.root, der, notBefore: now, notAfter: now + life };
  const { jwtKeyId } = template;
  return { id: authorityId({ trustDomain, root, jwtKeyId }), root, jwtKeyId, until: root.notAfter };
}
type Own = ReturnType<typeof madeAt>;

/** A log of a few events, without bodies' certificates: a history as `authority-history.ts` makes it. */
class Log {
  history: AuthorityHistory = new Map();
  size = 1;
  readonly all = new Map<Digest, Own>();

  append(type: "prepared" | "activated" | "retired", own: Own, time: number, byOperator = false): void {
    this.all.set(own.id, own);
    const moment = { index: this.size, time };
    const known = this.history.get(own.id) ?? { id: own.id, trustDomain };
    const jwtPublicKey = template.jwtKey.publicKey;
    const next = {
      prepared: { prepared: { ...moment, ...own, jwtPublicKey } },
      activated: { activated: moment },
      retired: { retired: { ...moment, byOperator, reason: "" } },
    }[type];
    this.history = new Map(this.history).set(own.id, { ...known, ...next });
    this.size += 1;
  }
}

/** A node that makes its keys: what it has on its disk outlives it. */
class Node {
  readonly #log: Log;
  readonly #life: number;
  own: Own[] = [];
  constructor(log: Log, life: number) {
    this.#log = log;
    this.#life = life;
  }
  get state() {
    return { history: this.#log.history, own: this.own, makes: true, overlap: OVERLAP };
  }
  /** Does at most so many steps: a crash comes before the next one. */
  turn(now: number, steps = 100): void {
    for (let i = 0; i < steps; i += 1) {
      const step = nextStep(this.state, now);
      if (step === undefined) return;
      if (step.do === "make") this.own = [...this.own, madeAt(now, this.#life)];
      else if (step.do === "forget") this.own = this.own.filter((one) => one !== step.own);
      else if (step.do === "retire") this.#log.append("retired", this.#log.all.get(step.id) as Own, now);
      else this.#log.append(step.do === "prepare" ? "prepared" : "activated", step.own, now);
    }
    assert.ok(steps < 100, "a node comes to rest");
  }
  signs(now: number) {
    return signingAuthority(this.state, now);
  }
}

describe("an authority over years", () => {
  test("the first of a log signs at once", () => {
    const node = new Node(new Log(), YEAR);
    node.turn(START);
    assert.equal(node.signs(START), node.own[0]);
  });

  test("another node's is in the bundle for the overlap before it signs", () => {
    const log = new Log();
    const [one, two] = [new Node(log, YEAR), new Node(log, YEAR)];
    one.turn(START);
    two.turn(START + MINUTE);
    assert.equal(believed(log.history).length, 2);
    assert.equal(two.signs(START + MINUTE), undefined);
    two.turn(START + OVERLAP);
    assert.equal(two.signs(START + OVERLAP), undefined);
    two.turn(START + MINUTE + OVERLAP);
    assert.equal(two.signs(START + MINUTE + OVERLAP), two.own[0]);
  });

  test("of two first nodes that start at once, one signs at once", () => {
    const log = new Log();
    const [one, two] = [new Node(log, YEAR), new Node(log, YEAR)];
    for (let i = 0; i < 4; i += 1) for (const node of [one, two]) node.turn(START, 1);
    assert.deepEqual([one, two].map((node) => node.signs(START) !== undefined).sort(), [false, true]);
  });

  test("after an operator took back the only one the next signs at once; after its end it does not", () => {
    for (const byOperator of [true, false]) {
      const log = new Log();
      const node = new Node(log, YEAR);
      node.turn(START);
      const [first] = node.own;
      assert.ok(first);
      const now = byOperator ? START + DAY : START + YEAR + LINGERS + 1;
      if (byOperator) log.append("retired", first, now, true);
      node.turn(now);
      assert.equal(log.history.get(first.id)?.retired?.byOperator, byOperator);
      assert.ok(!node.own.includes(first), "what is retired is forgotten");
      assert.equal(node.signs(now) !== undefined, byOperator);
      const [next] = node.own.slice(-1);
      assert.equal(signsFrom(node.state, next?.id as Digest), byOperator ? now : now + OVERLAP);
    }
  });

  test("the end of the last one counts, though one that was activated after it was taken back", () => {
    const log = new Log();
    const [one, two] = [new Node(log, YEAR), new Node(log, YEAR)];
    for (const now of [START, START + OVERLAP]) for (const node of [one, two]) node.turn(now);
    log.append("retired", two.own[0] as Own, START + DAY, true);
    const back = START + YEAR + LINGERS + 1;
    one.turn(back);
    assert.equal(one.signs(back), undefined);
  });

  test("what another took back is never signed with again, even where another node's is believed", () => {
    const log = new Log();
    const [one, two] = [new Node(log, YEAR), new Node(log, YEAR)];
    one.turn(START);
    two.turn(START);
    two.turn(START + OVERLAP);
    const [first] = one.own;
    assert.ok(first);
    log.append("retired", first, START + DAY, true);
    assert.equal(one.signs(START + DAY), undefined);
    one.turn(START + DAY);
    assert.equal(one.signs(START + DAY), undefined);
    one.turn(START + DAY + OVERLAP);
    assert.ok(one.signs(START + DAY + OVERLAP));
    assert.ok(!one.own.includes(first));
  });

  test("one of an earlier version signs at once, and is prepared so that bundles have it", () => {
    const log = new Log();
    const own = [madeAt(START, 10 * YEAR)];
    const state = () => ({ history: log.history, own, makes: true, overlap: OVERLAP });
    log.append("activated", own[0] as Own, START);
    assert.equal(signingAuthority(state(), START), own[0]);
    assert.deepEqual(nextStep(state(), START), { do: "prepare", own: own[0] });
    log.append("prepared", own[0] as Own, START);
    assert.equal(nextStep(state(), START), undefined);
  });

  test("no more are prepared than bundles can hold, until others are retired", () => {
    const log = new Log();
    const gone = Array.from({ length: MAX_BELIEVED }, () => madeAt(START, YEAR));
    for (const one of gone) log.append("prepared", one, START);
    const own = [madeAt(START, YEAR)];
    const state = () => ({ history: log.history, own, makes: true, overlap: OVERLAP });
    assert.equal(nextStep(state(), START), undefined);
    log.append("retired", gone[0] as Own, START, true);
    assert.equal(nextStep(state(), START)?.do, "prepare");
  });

  test("keys that are given are prepared and activated, and never made or forgotten", () => {
    const log = new Log();
    const own = [madeAt(START, YEAR), madeAt(START, YEAR)];
    for (const one of own) log.append("prepared", one, START);
    const state = () => ({ history: log.history, own, makes: false, overlap: OVERLAP });
    assert.deepEqual(nextStep(state(), START), { do: "activate", own: own[0] });
    log.append("activated", own[0] as Own, START);
    assert.equal(nextStep(state(), START), undefined);
    assert.equal(signingAuthority(state(), START), own[0]);
    log.append("activated", own[1] as Own, START + OVERLAP);
    assert.equal(signingAuthority(state(), START + OVERLAP), own[1]);
    assert.equal(nextStep(state(), START + YEAR - 1), undefined);
  });
});

interface Party {
  /** When it asks next, and what it had when it asked last. */
  next: number;
  bundle: ReadonlySet<Digest>;
}

test("property: over twenty years no relying party holds a bundle that fails a live SVID", () => {
  const scenario = fc.record({
    life: fc.integer({ min: 200, max: 2000 }).map((days) => days * DAY),
    // When nodes are away, and after how many steps each comes to crash: by turns.
    nodes: fc.array(
      fc.record({
        joins: fc.integer({ min: 0, max: 300 }).map((days) => days * DAY),
        crashes: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 7 }),
        losesDisk: fc.integer({ min: 1, max: 8_000 }).map((days) => days * DAY),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    jitter: fc.array(fc.integer({ min: -60_000, max: 60_000 }), { minLength: 3, maxLength: 11 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(scenario, ({ life, nodes: setups, jitter, seed }) => {
      const log = new Log();
      const nodes = setups.map(() => new Node(log, life));
      const parties: Party[] = jitter.map((_, i) => ({ next: START + i * MINUTE, bundle: new Set() }));
      const live: { by: Digest; until: number }[] = [];
      let [sequence, turns] = [0, seed];
      let wasSigning = false;
      const lost = new Set<Node>();

      // Time goes in small steps while something is under way, and else leaps to where something will be.
      for (let now = START; now < START + 20 * YEAR; ) {
        turns += 1;
        for (const [i, node] of nodes.entries()) {
          const setup = setups[i];
          if (setup === undefined || now < START + (i === 0 ? 0 : setup.joins)) continue;
          const crash = setup.crashes[turns % setup.crashes.length] ?? 0;
          if (i > 0 && now > START + setup.losesDisk && !lost.has(node)) {
            lost.add(node);
            node.own = [];
          }
          node.turn(now, turns % 3 === 0 ? crash : 99);
        }
        assert.ok(bundleSequence(log.history) >= sequence, "the sequence never goes back");
        sequence = bundleSequence(log.history);

        const bundle = heldNow(log);
        for (const [i, party] of parties.entries()) {
          if (now < party.next) continue;
          party.bundle = bundle;
          party.next = now + REFRESH + (jitter[(i + turns) % jitter.length] ?? 0);
        }
        for (const node of nodes) {
          const by = node.signs(now);
          if (by !== undefined) live.push({ by: by.id, until: Math.min(now + LONGEST_SVID, by.until) });
        }
        const first = nodes[0]?.signs(now) !== undefined;
        // Its first turns may have crashed; once it signs it never stops.
        assert.ok(first || !wasSigning, "a node that goes on is never without an authority");
        wasSigning ||= first;

        for (let i = live.length - 1; i >= 0; i -= 1) if ((live[i]?.until ?? 0) <= now) live.splice(i, 1);
        for (const { by } of live)
          for (const party of parties)
            if (party.bundle.size > 0) assert.ok(party.bundle.has(by), "a relying party refuses a live SVID");

        now = Math.min(...parties.map(({ next }) => next), now + MINUTE);
        if (live.length > 0 && isCalm(log, now)) now = leap(log, now, life, parties);
      }
      // In all those years no more is believed than what is signed with, was before, or comes next.
      assert.ok(believed(log.history).length <= 3 * nodes.length + 3);
    }),
    { numRuns: IS_LONG ? 20 : 2 },
  );
});

/** Whether nothing was prepared, activated or retired within the longest life of an SVID. */
function isCalm(log: Log, now: number): boolean {
  const moments = [...log.history.values()].flatMap(({ prepared, activated, retired }) => [
    prepared?.time ?? 0,
    activated?.time ?? 0,
    retired?.time ?? 0,
  ]);
  return now - Math.max(...moments) > 2 * LONGEST_SVID;
}

/** To shortly before something is due, at most ten days on, with what would have been asked until then. */
function leap(log: Log, now: number, life: number, parties: Party[]): number {
  const due = [...log.all.values()].flatMap(({ until }) => [until - life / 3, until, until + LINGERS]);
  const to = Math.min(now + 10 * DAY, ...due.filter((at) => at > now + 2 * LONGEST_SVID)) - LONGEST_SVID;
  const bundle = heldNow(log);
  for (const party of parties) Object.assign(party, { bundle, next: to + (party.next % REFRESH) });
  return to;
}

/** The authorities that the bundle has. */
function heldNow({ history }: Log): ReadonlySet<Digest> {
  return new Set(
    [...history.values()].flatMap(({ id, prepared, retired }) => (prepared && !retired ? [id] : [])),
  );
}
