import { createHmac, createPublicKey } from "node:crypto";
import { AUDIENCE, type OidcIssuer } from "../../support/oidc-issuer.ts";

const parts = (token: string) => token.split(".") as [string, string, string];
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1000);

/** Tokens that must not be taken, each but for one reason as good as one of the issuer's. */
export const FORGED: readonly [
  what: string,
  make: (issuer: OidcIssuer, stranger: OidcIssuer) => Promise<string>,
  why: RegExp,
][] = [
  [
    "signs nothing (alg none)",
    async (issuer) => {
      const [{ kid }] = JSON.parse(issuer.jwks()).keys;
      return `${encode({ alg: "none", typ: "JWT", kid })}.${encode(issuer.claims())}.AA`;
    },
    /algorithm is not its key's/,
  ],
  [
    "signs by the public key as a secret",
    async (issuer) => {
      const [{ kid, ...jwk }] = JSON.parse(issuer.jwks()).keys;
      const secret = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
      const signed = `${encode({ alg: "HS256", typ: "JWT", kid })}.${encode(issuer.claims())}`;
      return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    },
    /signature is not of its key|algorithm is not its key/,
  ],
  ["is of an issuer that no rule names", (_issuer, stranger) => stranger.token(), /No access rule/],
  [
    "is known to another issuer under this one's name",
    (issuer, stranger) => stranger.token({ iss: issuer.issuer }),
    /its key is not one/,
  ],
  [
    "swaps the key's ID for this issuer's",
    (issuer, stranger) => {
      const [{ kid }] = JSON.parse(issuer.jwks()).keys;
      return stranger.sign(stranger.claims({ iss: issuer.issuer }), { kid });
    },
    /signature is not of its key/,
  ],
  ["names no key", (issuer) => issuer.sign(issuer.claims(), { kid: undefined }), /its key is not one/],
  ["writes the issuer otherwise", (issuer) => issuer.token({ iss: `${issuer.issuer}/` }), /No access rule/],
  ["has no issuer", (issuer) => issuer.token({ iss: undefined }), /No access rule/],
  [
    "asks for another audience",
    (issuer) => issuer.token({ aud: "https://other.example" }),
    /for another audience/,
  ],
  [
    "asks for another audience too",
    (issuer) => issuer.token({ aud: [AUDIENCE, "https://other.example"] }),
    /or for several/,
  ],
  ["has no audience", (issuer) => issuer.token({ aud: undefined }), /for another audience/],
  ["comes too late", (issuer) => issuer.token({ iat: now() - 600, exp: now() - 1 }), /has expired/],
  [
    "comes too early",
    (issuer) => issuer.token({ iat: now() + 120, nbf: now() + 120, exp: now() + 300 }),
    /not valid yet/,
  ],
  ["is valid only later", (issuer) => issuer.token({ nbf: now() + 120 }), /not valid yet/],
  ["never ends", (issuer) => issuer.token({ exp: undefined }), /does not live/],
  ["never began", (issuer) => issuer.token({ iat: undefined }), /does not live/],
  ["ends in a year", (issuer) => issuer.token({ exp: now() + 31_536_000 }), /does not live/],
  ["ends before it began", (issuer) => issuer.token({ iat: now() + 30, exp: now() + 20 }), /does not live/],
  [
    "writes times as texts",
    (issuer) => issuer.sign({ ...issuer.claims(), exp: String(now() + 300) } as never),
    /does not live/,
  ],
  ["has no subject", (issuer) => issuer.token({ sub: undefined }), /has no subject/],
  ["has an endless subject", (issuer) => issuer.token({ sub: "s".repeat(3000) }), /has no subject/],
  [
    "asks for an extension",
    (issuer) => issuer.sign(issuer.claims(), { crit: ["exp"], exp: 1 }),
    /asks for an extension/,
  ],
  ["is of another type", (issuer) => issuer.sign(issuer.claims(), { typ: "dpop+jwt" }), /type is not JWT/],
  [
    "says a claim twice",
    async (issuer) => {
      const [header, payload, signature] = parts(await issuer.token());
      const text = Buffer.from(payload, "base64url")
        .toString()
        .replace("{", '{"iss":"https://other.example",');
      return `${header}.${Buffer.from(text).toString("base64url")}.${signature}`;
    },
    /not a JSON object/,
  ],
  [
    "changes a claim",
    async (issuer) => {
      const [header, payload, signature] = parts(await issuer.token({ ref: "refs/heads/topic" }));
      const text = Buffer.from(payload, "base64url")
        .toString()
        .replace("refs/heads/topic", "refs/heads/main");
      return `${header}.${Buffer.from(text).toString("base64url")}.${signature}`;
    },
    /signature is not of its key/,
  ],
  [
    "cuts the signature off",
    async (issuer) =>
      parts(await issuer.token())
        .slice(0, 2)
        .join("."),
    /bearer token is unknown/,
  ],
  ["sends five parts", async (issuer) => `${await issuer.token()}.AA.AA`, /three parts|bearer token/],
  ["sends more than a token", (issuer) => issuer.token({ padding: "p".repeat(9000) }), /Send Authorization/],
  ["sends objects that are none", async () => `${encode([])}.${encode("x")}.AA`, /not a JSON object/],
];
