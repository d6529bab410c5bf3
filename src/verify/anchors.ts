import type { CertificateAuthority } from "../trust/authority.ts";
import type { LogAuthority, SigstoreInstance, Thresholds } from "../trust/sigstore-instance.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";

/** Whose certificates are believed, with the logs and timestamp authorities whose word counts for them. */
export interface Anchor {
  /** Of the instance or of the private roots in the trust document. */
  readonly name: string;
  /** The Sigstore instance; undefined for private roots, whose certificates say nothing of an OIDC issuer. */
  readonly instance?: SigstoreInstance;
  readonly authorities: readonly CertificateAuthority[];
  readonly witnesses: Witnesses;
  readonly thresholds: Thresholds;
}

/** Those who say when a signature existed and where it was published. */
export interface Witnesses {
  readonly logs: readonly LogAuthority[];
  readonly ctLogs: readonly LogAuthority[];
  readonly timestampAuthorities: readonly CertificateAuthority[];
}

interface Anchors {
  readonly anchors: readonly Anchor[];
  /** All of the snapshot: what counts for signatures of keys and of private roots' certificates. */
  readonly witnesses: Witnesses;
}

const known = new WeakMap<TrustSnapshot, Anchors>();

/** Made once for each snapshot. */
export function anchorsOf(trust: TrustSnapshot): Anchors {
  const made = known.get(trust) ?? makeAnchors(trust);
  known.set(trust, made);
  return made;
}

function makeAnchors({ instances, x509 }: TrustSnapshot): Anchors {
  const witnesses: Witnesses = {
    logs: instances.flatMap(({ logs }) => logs),
    ctLogs: [],
    timestampAuthorities: [
      ...instances.flatMap(({ timestampAuthorities }) => timestampAuthorities),
      ...x509.filter(({ uses }) => uses.has("timestamps")).flatMap(({ authorities }) => authorities),
    ],
  };
  const sigstore = instances.map(
    (instance): Anchor => ({
      name: instance.name,
      instance,
      authorities: instance.certificateAuthorities,
      witnesses: instance,
      thresholds: instance.thresholds,
    }),
  );
  const own = x509
    .filter(({ uses }) => uses.has("attestations"))
    .map(
      ({ name, authorities, thresholds }): Anchor => ({
        name,
        authorities,
        witnesses,
        thresholds: { ...thresholds, scts: 0 },
      }),
    );
  return { anchors: [...sigstore, ...own], witnesses };
}
