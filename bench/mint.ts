// @peculiar/x509 needs it before anything of its own is loaded.
import "reflect-metadata";
import { createPublicKey, randomBytes, sign, verify, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { SignJWT } from "jose";
import { derChildren, readDer } from "../src/der/reader.ts";
import { parseCsr } from "../src/identity/csr.ts";
import { createJwtMinter, GROUNDS_CLAIM } from "../src/identity/jwt-svid.ts";
import { parseSpiffeId } from "../src/identity/spiffe-id.ts";
import { encodeGrounds } from "../src/identity/svid-extension.ts";
import { createX509Minter, serialFrom } from "../src/identity/x509-svid.ts";
import { writePem } from "../src/x509/pem.ts";
import { p256, signingRequest } from "../test/identity/signing-requests.ts";
import { GROUNDS, MINUTE, testAuthority } from "../test/identity/trust-domain.ts";
import { type BenchResult, compare, cpuSeconds } from "./measure.ts";

/** By CPU time, because the other libraries work on several threads and ours on one. */
const ROUNDS = { rounds: 31, duration: 100, clock: cpuSeconds };
/** Requests of as many keys, in turn: no key is warm because it was the last one. */
const KEYS = 64;
const ID = parseSpiffeId("spiffe://example.org/widget/server");
const JTI = randomBytes(16).toString("base64url");
const AUDIENCES = ["spiffe://example.org/database"];
/** The grounds' extension in the words of @peculiar/x509, which has no constant of ours. */
const GROUNDS_OID = "1.2.840.113556.1.8000.2554.30534.61944.20736.17917.41416.3343777.5524230";

interface Request {
  readonly csr: Buffer;
  readonly serial: Uint8Array;
}

/**
 * SVIDs a second of one core. X.509: from a signing request to a certificate,
 * against @peculiar/x509 doing the same through WebCrypto, and against the floor: importing the request's key,
 * verifying its signature and signing as many bytes, without reading or writing a thing. JWT: against jose.
 */
export async function mint(): Promise<BenchResult> {
  const now = Date.now();
  const authority = testAuthority("example.org", now);
  const mintX509 = createX509Minter(authority);
  const mintJwt = createJwtMinter(authority);
  const requests = Array.from({ length: KEYS }, () => {
    const { key, spki } = p256();
    return { csr: signingRequest(key, spki), serial: serialFrom(randomBytes(16)) };
  });

  const ours = ({ csr, serial }: Request) =>
    mintX509({
      spki: parseCsr(csr).spki,
      spiffeId: ID,
      serial,
      notBefore: now,
      notAfter: now + 10 * MINUTE,
      grounds: GROUNDS,
    });
  const [tbs] = derChildren(readDer(await ours(requests[0] as Request)).content);
  const signed = Buffer.from(tbs?.encoded ?? []);
  const parts = requests.map(({ csr }) => partsOf(csr));
  const theirs = await peculiar(authority, now);
  const jwtKey = await webcrypto.subtle.importKey(
    "pkcs8",
    authority.keys.jwt.export({ format: "der", type: "pkcs8" }),
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["sign"],
  );

  const [x509Rate = 0, floor = 0, peculiarRate = 0, jwtRate = 0, jose = 0] = await compare(
    [
      { name: "X.509-SVID", run: each(requests, ours) },
      {
        name: "the floor",
        run: each(parts, ({ publicKey, info, signature }) => {
          const key = createPublicKey(publicKey);
          if (!verify("sha256", info, key, signature)) throw new Error("the request does not verify");
          sign("sha256", signed, authority.keys.ca);
        }),
      },
      { name: "@peculiar/x509", run: each(requests, theirs) },
      {
        name: "JWT-SVID",
        run: each([ID], (spiffeId) =>
          mintJwt({
            spiffeId,
            audiences: AUDIENCES,
            issuedAt: now,
            expiresAt: now + 5 * MINUTE,
            jti: JTI,
            grounds: GROUNDS,
          }),
        ),
      },
      {
        name: "jose",
        run: each([ID], (spiffeId) =>
          new SignJWT({ [GROUNDS_CLAIM]: GROUNDS })
            .setProtectedHeader({ alg: "ES256", kid: authority.jwtKeyId, typ: "JWT" })
            .setSubject(spiffeId)
            .setAudience(AUDIENCES)
            .setIssuedAt(Math.floor(now / 1000))
            .setExpirationTime(Math.floor(now / 1000) + 300)
            .setJti(JTI)
            .sign(jwtKey),
        ),
      },
    ],
    ROUNDS,
  );
  return {
    bench: "mint",
    rows: [
      { name: "X.509-SVID from a CSR", median: x509Rate, unit: "SVIDs/s" },
      { name: "bare CSR verification and crypto.sign", median: floor, unit: "a second" },
      { name: "@peculiar/x509", median: peculiarRate, unit: "SVIDs/s" },
      { name: "JWT-SVID", median: jwtRate, unit: "SVIDs/s" },
      { name: "jose", median: jose, unit: "SVIDs/s" },
    ],
    ratios: {
      "x509-vs-peculiar": x509Rate / peculiarRate,
      "x509-vs-floor": x509Rate / floor,
      "jwt-vs-jose": jwtRate / jose,
    },
  };
}

/** Runs an operation on the items in turn. One that answers at once is not awaited: that would be measured too. */
function each<T>(items: readonly T[], operation: (item: T) => unknown): (count: number) => Promise<void> {
  return async (count) => {
    for (let i = 0; i < count; i += 1) {
      const answer = operation(items[i % items.length] as T);
      if (answer instanceof Promise) await answer;
    }
  };
}

function partsOf(csr: Buffer) {
  const [info, , signature] = derChildren(readDer(csr).content);
  const spki = derChildren(info?.content ?? csr)[2]?.encoded ?? csr;
  return {
    // The quickest to import: see importSpki in src/x509/public-keys.ts.
    publicKey: writePem("PUBLIC KEY", spki),
    info: Buffer.from(info?.encoded ?? csr),
    signature: Buffer.from(signature?.content.subarray(1) ?? csr),
  };
}

/** The same certificate by @peculiar/x509. */
async function peculiar({ caCertificate, keys }: ReturnType<typeof testAuthority>, now: number) {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    keys.ca.export({ format: "der", type: "pkcs8" }),
    algorithm,
    false,
    ["sign"],
  );
  const authority = new x509.X509Certificate(caCertificate.der as Uint8Array<ArrayBuffer>);
  const authorityKeyIdentifier = await x509.AuthorityKeyIdentifierExtension.create(authority);
  return async ({ csr, serial }: Request) => {
    const request = new x509.Pkcs10CertificateRequest(csr as Buffer<ArrayBuffer>);
    if (!(await request.verify())) throw new Error("the request does not verify");
    return x509.X509CertificateGenerator.create({
      serialNumber: Buffer.from(serial).toString("hex"),
      issuer: authority.subject,
      notBefore: new Date(now),
      notAfter: new Date(now + 10 * MINUTE),
      signingKey,
      signingAlgorithm: algorithm,
      publicKey: request.publicKey,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        authorityKeyIdentifier,
        await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
        new x509.SubjectAlternativeNameExtension([{ type: "url", value: ID }], true),
        new x509.Extension(GROUNDS_OID, false, encodeGrounds(GROUNDS) as Buffer<ArrayBuffer>),
      ],
    });
  };
}
