import { INSTALLATION, PROJECT_CHAIN } from "../custody/events.ts";
import { readChain, readHead } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import type { Authority } from "../identity/authority.ts";
import { sha256 } from "../in-toto-attestation/index.ts";
import { appendFresh } from "./append.ts";
import type { Vouchsafe } from "./context.ts";

/**
 * Makes sure that this node signs SVIDs as the authority that the log names: nodes with different ones would grant
 * identities that half of all peers refuse. The first node to start names its own. Another takes its place only when
 * an operator says which one it replaces, so that no node started with wrong files can do so.
 *
 * What peers believe is compared (the root certificate and the key for JWT-SVIDs): an issuing certificate may be
 * replaced below the same root. Any number of nodes may start at once.
 *
 * @param replaces the `authority` of the one that may be replaced, as the log has it
 * @throws VouchsafeError `configuration-invalid`
 */
export async function pinAuthority(
  { writer, database }: Pick<Vouchsafe, "writer" | "database">,
  authority: Authority,
  replaces?: string,
): Promise<void> {
  const ours = described(authority);
  await appendFresh({ writer }, async () => {
    const { size: asOf } = await readHead(database.kysely);
    const wide = await readChain(database.kysely, INSTALLATION, PROJECT_CHAIN);
    const pinned = wide.findLast(({ type }) => type === "authority.activated")?.body.authority ?? null;
    const proposal = { project: INSTALLATION, asOf, restsOn: [PROJECT_CHAIN] };
    if (pinned === ours.authority) return { proposal: { ...proposal, events: [] } };
    if (pinned !== null && pinned !== replaces) {
      throw new VouchsafeError(
        "configuration-invalid",
        `The log names the authority ${pinned}, and this node's is ${ours.authority}: nodes of one database share their ` +
          "authority's files. To replace it, set VOUCHSAFE_REPLACES_AUTHORITY to the one that the log names",
      );
    }
    const body = { previous: pinned, ...ours };
    return {
      proposal: { ...proposal, events: [{ type: "authority.activated", about: [PROJECT_CHAIN], body }] },
    };
  });
}

function described({ id, trustDomain, root, jwtKeyId }: Authority) {
  return { authority: id, trustDomain, x509Root: sha256(root.der), jwtKeyId };
}
