import type { Outcome } from "./run-case.ts";

/** Cases on which implementations differ, and what we decided: docs/decisions/0013-ambiguous-evidence.md says why. */
export const DECIDED: ReadonlyMap<string, Outcome["verdict"]> = new Map([
  ["sigstore-python/tsa-bundle.many_timestamp", "rejected"],
  ["sigstore-python/tsa-bundle.late_timestamp", "rejected"],
  ["sigstore-java/bundle-no-digest", "rejected"],
  ["sigstore-java/bundle.dsse.rekor-v2.bad-entry-type", "rejected"],
  ["sigstore-java/bundle.v1.no.inclusion", "verified"],
  ["model-signing/v0.3.1-certificate", "rejected"],
  ["model-signing/v1.0.0-certificate", "rejected"],
  ["model-signing/v1.1.0-certificate", "rejected"],
  ["slsa/bundle-test/valid", "rejected"],
  ["archivista/policy", "verified"],
  ["gcb/gcloud-container-github", "rejected"],
  ["gcb/gcloud-container-invalid-signature-payloadtype", "rejected"],
  ["gcb/gcloud-container-multiple-signatures-2ndvalid", "rejected"],
  ["gcb/gcloud-container-multiple-signatures-3rdvalid", "rejected"],
  ["vsa/gke-empty-key-id", "rejected"],
  ["merkle/consistency/additional/size1-is-zero-and-does-not-equal-size2", "rejected"],
  ["merkle/consistency/additional/sizes-are-equal-zero-and-proof-is-empty", "rejected"],
]);
