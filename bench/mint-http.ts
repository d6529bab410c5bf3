import { randomBytes } from "node:crypto";
import { createClient } from "../src/client/client.ts";
import { parseCsr } from "../src/identity/csr.ts";
import { parseSpiffeId } from "../src/identity/spiffe-id.ts";
import { createX509Minter, serialFrom } from "../src/identity/x509-svid.ts";
import { p256, signingRequest } from "../test/identity/signing-requests.ts";
import { GROUNDS, MINUTE, testAuthority } from "../test/identity/trust-domain.ts";
import { digestOf } from "../test/support/pushes.ts";
import { openHttpLoad } from "./http-load.ts";
import { type BenchResult, compare } from "./measure.ts";
import { openRevokeHouse } from "./revoke-house.ts";

const CLIENTS = 64;
const ROUNDS = { rounds: 5, duration: 2_000 };
const ID = parseSpiffeId("spiffe://vouchsafe.local/widget");

/**
 * X.509-SVIDs a second from 64 clients of one server process: each is a request over HTTP, judged, recorded in an event that is durable
 * before it is signed, and answered with its receipt. Against what minting takes by itself: from a signing request to a certificate.
 */
export async function mintHttp(): Promise<BenchResult> {
  const house = await openRevokeHouse(1);
  try {
    const digest = digestOf("widget");
    await house.release(digest);
    const { token } = await house.operator.createToken({ name: "broker", roles: ["issuer"] });
    const now = Date.now();
    const mint = createX509Minter(testAuthority("vouchsafe.local", now));
    const { key, spki } = p256();
    const csr = signingRequest(key, spki);
    const body = JSON.stringify({
      csr: csr.toString("base64"),
      selectors: [`unix:uid:${process.getuid?.()}`],
      components: { executable: [digest] },
    });
    const head = `POST /svid/x509 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n`;
    const request = `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const port = Number(new URL(house.servers[0]?.url ?? "").port);
    const load = await openHttpLoad({ port, connections: CLIENTS, request: () => request, status: 201 });
    const [overHttp = 0, alone = 0] = await compare(
      [
        { name: "over HTTP", run: load.run },
        {
          name: "minting alone",
          run: async (count) => {
            for (let i = 0; i < count; i += 1) {
              await mint({
                spki: parseCsr(csr).spki,
                spiffeId: ID,
                serial: serialFrom(randomBytes(16)),
                notBefore: now,
                notAfter: now + 10 * MINUTE,
                grounds: GROUNDS,
              });
            }
          },
        },
      ],
      ROUNDS,
    );
    load.close();
    const { identities } = await createClient({
      server: house.servers[0]?.url ?? "",
      token: (await house.operator.createToken({ name: "auditor", roles: ["auditor"] })).token,
    }).listIdentities({ limit: 1 });
    return {
      bench: "mint-http",
      rows: [
        { name: "X.509-SVID over HTTP, its event durable", median: overHttp, unit: "SVIDs/s" },
        { name: "X.509-SVID minted alone", median: alone, unit: "SVIDs/s" },
        { name: "log index of the last", median: identities[0]?.index ?? Number.NaN, unit: "" },
      ],
      ratios: { "vs-minting-alone": overHttp / alone },
    };
  } finally {
    await house.close();
  }
}
