import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { agentId, serverId } from "../../src/identity/agent-id.ts";
import { AGENT_SCHEME, makeAgentProof, verifyAgentProof } from "../../src/identity/agent-proof.ts";
import { encodePart, signEs256 } from "../../src/identity/jws.ts";
import { type SpiffeId, spiffeId } from "../../src/identity/spiffe-id.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import type { JsonObject } from "../../src/in-toto-attestation/index.ts";
import fc from "../support/fc.ts";
import { p256 } from "./signing-requests.ts";
import { MINUTE, testAuthority } from "./trust-domain.ts";

const refused = { name: "VouchsafeError", code: "agent-proof-invalid" };
const now = Math.floor(Date.now() / 1000) * 1000;
const authority = testAuthority("example.org", now);
const { bundle, trustDomain } = authority;
const AGENT = agentId(trustDomain, "node-1");
const { key, spki } = p256();
const serial = serialFrom(randomBytes(16));
const certificateOf = (id: SpiffeId, from = authority, notBefore = now - MINUTE) =>
  createX509Minter(from)({ spki, spiffeId: id, serial, notBefore, notAfter: notBefore + 60 * MINUTE });

const chain = [await certificateOf(AGENT)];
const request = { method: "POST", path: "/svid/x509?a=b", body: Buffer.from('{"csr":""}') };
const random = randomBytes(16);
const proof = makeAgentProof({ spiffeId: AGENT, chain, key }, request, random, now);

const verify = (authorization: string, changes = {}, at = now) =>
  verifyAgentProof(authorization, { ...request, ...changes }, bundle, at);

test("a proof names the agent, its certificate and what must not come twice", () => {
  const { spki: provenKey, ...proven } = verify(proof);
  assert.deepEqual(proven, {
    agent: AGENT,
    name: "node-1",
    serial: Buffer.from(serial).toString("hex"),
    jti: random.toString("base64url"),
    expiresAt: now + 70_000,
  });
  assert.ok(spki.equals(provenKey));
});

test("it holds as long as its jti must be remembered, for clocks that differ by ten seconds", () => {
  verify(proof, {}, now - 10_000);
  verify(proof, {}, now + 70_000 - 1);
  assert.throws(() => verify(proof, {}, now - 10_001), refused);
  assert.throws(() => verify(proof, {}, now + 70_000), refused);
});

describe("another request than the one that was proven", () => {
  const cases: [name: string, changes: object][] = [
    ["method", { method: "GET" }],
    ["path", { path: "/svid/jwt?a=b" }],
    ["query", { path: "/svid/x509" }],
    ["body", { body: Buffer.from('{"csr":"" }') }],
    ["no body", { body: Buffer.alloc(0) }],
  ];
  for (const [name, changes] of cases) test(name, () => assert.throws(() => verify(proof, changes), refused));
});

describe("proofs that are refused", async () => {
  const iat = now / 1000;
  const x5c = chain.map((der) => Buffer.from(der).toString("base64"));
  const HEADER = { alg: "ES256", typ: "vouchsafe-agent+jwt", x5c };
  const CLAIMS = {
    sub: AGENT,
    aud: serverId(trustDomain),
    iat,
    exp: iat + 60,
    jti: random.toString("base64url"),
    htm: request.method,
    htu: request.path,
    bsh: hash("sha256", request.body, "base64url"),
  };
  const forge = (header: JsonObject = {}, claims: JsonObject = {}, by = key) =>
    `${AGENT_SCHEME} ${signEs256(encodePart({ ...HEADER, ...header }), { ...CLAIMS, ...claims }, by)}`;
  const holding = (certificate: Uint8Array, sub: string = AGENT) =>
    forge({ x5c: [Buffer.from(certificate).toString("base64")] }, { sub });
  const foreign = testAuthority("example.org", now);
  const elsewhere = testAuthority("example.com", now);
  const workload = spiffeId(trustDomain, "/widget");
  const beside = spiffeId(trustDomain, "/vouchsafe/agents/a");
  const theirs = agentId(elsewhere.trustDomain, "node-1");

  test("the one that these are made from is none of them", () => {
    assert.equal(verify(forge()).agent, AGENT);
  });

  const cases: [name: string, authorization: string][] = [
    ["a certificate of another authority of the same name", holding(await certificateOf(AGENT, foreign))],
    ["a certificate of a foreign trust domain", holding(await certificateOf(theirs, elsewhere), theirs)],
    ["an agent of a foreign trust domain, under our authority", holding(await certificateOf(theirs), theirs)],
    ["a certificate that has expired", holding(await certificateOf(AGENT, authority, now - 61 * MINUTE))],
    ["a certificate that is not valid yet", holding(await certificateOf(AGENT, authority, now + MINUTE))],
    ["a workload's certificate", holding(await certificateOf(workload), workload)],
    ["a certificate of another path", holding(await certificateOf(beside), beside)],
    [
      "the certificate of the server",
      holding(await certificateOf(serverId(trustDomain)), serverId(trustDomain)),
    ],
    ["the authority's own certificate", holding(authority.caCertificate.der)],
    ["a signature of another key", forge({}, {}, p256().key)],
    ["no certificate", forge({ x5c: [] })],
    ["a certificate that is no text", forge({ x5c: [1] })],
    ["a certificate that is no certificate", forge({ x5c: ["AAAA"] })],
    ["another algorithm", forge({ alg: "none" })],
    ["another type", forge({ typ: "JWT" })],
    ["a header with more", forge({ kid: "a" })],
    ["another agent's name", forge({}, { sub: agentId(trustDomain, "node-2") })],
    ["another server", forge({}, { aud: serverId(elsewhere.trustDomain) })],
    ["a list of servers", forge({}, { aud: [CLAIMS.aud] })],
    ["a claim more", forge({}, { nbf: iat })],
    ["a longer life", forge({}, { exp: iat + 61 })],
    ["no life at all", forge({}, { exp: iat })],
    ["a time with a fraction", forge({}, { iat: iat + 0.5 })],
    ["a time that is a text", forge({}, { exp: String(iat + 60) })],
    ["a jti that is too short", forge({}, { jti: "AAAA" })],
    ["a jti of other characters", forge({}, { jti: `${"A".repeat(21)}+` })],
    ["a jti that is no text", forge({}, { jti: 1 })],
    ["another scheme", proof.replace(AGENT_SCHEME, "Bearer")],
    ["the scheme in small letters", proof.replace(AGENT_SCHEME, AGENT_SCHEME.toLowerCase())],
    ["two spaces", proof.replace(" ", "  ")],
    ["no scheme", proof.slice(AGENT_SCHEME.length + 1)],
    ["nothing", ""],
  ];
  for (const [name, authorization] of cases)
    test(name, () => assert.throws(() => verify(authorization), refused));
});

test("property: no changed character is taken, and none throws anything else", () => {
  fc.assert(
    fc.property(fc.nat(proof.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const changed = proof.slice(0, at) + character + proof.slice(at + 1);
      if (changed !== proof) assert.throws(() => verify(changed), refused);
    }),
    { numRuns: 300 },
  );
});
