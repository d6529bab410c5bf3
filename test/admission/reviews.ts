import { randomUUID } from "node:crypto";

export interface Reviewed {
  /** `group/version/kind`. */
  readonly kind: string;
  readonly operation?: string;
  readonly namespace?: string;
  readonly object?: unknown;
  readonly oldObject?: unknown;
}

/** An AdmissionReview as the API server sends it, with members besides that nothing is decided by. */
export function reviewFor({
  kind: named,
  operation = "CREATE",
  namespace = "default",
  ...objects
}: Reviewed) {
  const [group, version, kind] = named.split("/");
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: randomUUID(),
      kind: { group, version, kind },
      resource: { group, version, resource: `${kind?.toLowerCase()}s` },
      requestKind: { group, version, kind },
      name: "web",
      namespace,
      operation,
      userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller", groups: [] },
      object: null,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      ...objects,
    },
  };
}

/** A pod whose containers run these images. */
export function podOf(...images: readonly string[]) {
  return { metadata: { name: "web" }, spec: { containers: containersOf(...images) } };
}

export function containersOf(...images: readonly string[]) {
  return images.map((image, i) => ({ name: `c${i}`, image }));
}
