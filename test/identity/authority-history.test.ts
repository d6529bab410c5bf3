import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import {
  type AuthorityEvent,
  believed,
  believedBeside,
  bundleSequence,
  describedBody,
  preparedBody,
  withEvents,
} from "../../src/identity/authority-history.ts";
import { authorityId } from "../../src/identity/believed-authorities.ts";
import { jwkThumbprint } from "../../src/identity/jwk.ts";
import { testAuthority } from "./trust-domain.ts";

const START = Date.UTC(2026, 0, 1);
const template = testAuthority("example.org", START);
const { trustDomain } = template;

describe("what the log says of authorities", () => {
  const { root, jwtKey, jwtKeyId, id } = template;
  const believedOne = { root, jwtKeyId, jwtPublicKey: jwtKey.publicKey };
  const event = (type: string, index: number, body: AuthorityEvent["body"]): AuthorityEvent => ({
    type,
    index,
    time: START + index,
    body,
  });
  const prepared = event("authority.prepared", 3, preparedBody(trustDomain, believedOne));
  const activated = event("authority.activated", 4, describedBody(trustDomain, believedOne));

  test("is believed from when it is prepared until it is retired, and the sequence is the last change's index", () => {
    const one = withEvents(new Map(), [prepared]);
    assert.deepEqual(believed(one)[0]?.root.der, root.der);
    assert.equal(believed(one)[0]?.jwtKeyId, jwtKeyId);
    assert.equal(bundleSequence(one), 3);
    const two = withEvents(one, [activated]);
    assert.equal(bundleSequence(two), 3);
    assert.equal(two.get(id)?.activated?.index, 4);
    const body = { authority: id, reason: "stolen", caller: "a token" };
    const three = withEvents(two, [event("authority.retired", 9, body)]);
    assert.deepEqual(believed(three), []);
    assert.equal(bundleSequence(three), 9);
    assert.deepEqual(three.get(id)?.retired, {
      index: 9,
      time: START + 9,
      byOperator: true,
      reason: "stolen",
    });
  });

  test("what was retired is believed on by the root or the key that another has too", () => {
    const other = testAuthority("example.org", START);
    const sibling = { ...believedOne, jwtKeyId: other.jwtKeyId, jwtPublicKey: other.jwtKey.publicKey };
    const stranger = testAuthority("example.org", START);
    const apart = { ...stranger, jwtPublicKey: stranger.jwtKey.publicKey };
    const history = withEvents(
      new Map(),
      [believedOne, sibling, apart].map((one, i) =>
        event("authority.prepared", 3 + i, preparedBody(trustDomain, one)),
      ),
    );
    const siblingId = authorityId({ trustDomain, ...sibling });
    assert.deepEqual(believedBeside(history, id), [siblingId]);
    assert.deepEqual(believedBeside(history, stranger.id), []);
    const body = { authority: siblingId, reason: "stolen too", caller: "a token" };
    assert.deepEqual(believedBeside(withEvents(history, [event("authority.retired", 9, body)]), id), []);
  });

  test("of a version before authorities were prepared: it signs, and is replaced by the next that names it", () => {
    const old = { ...describedBody(trustDomain, believedOne), previous: null };
    const history = withEvents(new Map(), [event("authority.activated", 1, old)]);
    assert.deepEqual(believed(history), []);
    assert.equal(history.get(id)?.activated?.index, 1);
    const another = testAuthority("example.org", START);
    const replacing = { ...describedBody(trustDomain, another), previous: id };
    const next = withEvents(history, [event("authority.activated", 5, replacing)]);
    assert.equal(next.get(id)?.retired?.index, 5);
    // Whoever has its files finds it believed again once it took the other's place.
    const back = withEvents(next, [event("authority.activated", 7, { ...old, previous: another.id })]);
    assert.equal(back.get(id)?.retired, undefined);
  });

  test("that contradicts itself is refused", () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const bodies = [
      { ...prepared.body, certificate: "AAAA" },
      {
        ...prepared.body,
        certificate: Buffer.from(testAuthority("example.org", START).root.der).toString("base64"),
      },
      {
        ...prepared.body,
        jwtKey:
          preparedBody(trustDomain, { ...believedOne, jwtPublicKey: other, jwtKeyId: jwkThumbprint(other) })
            .jwtKey ?? null,
      },
      { ...prepared.body, jwtKey: {} },
    ];
    for (const body of bodies) {
      assert.throws(() => withEvents(new Map(), [{ ...prepared, body }]), { code: "log-inconsistent" });
    }
    const unknown = event("authority.retired", 1, { authority: id, reason: "", caller: null });
    assert.throws(() => withEvents(new Map(), [unknown]), { code: "log-inconsistent" });
  });
});
