import type { Digest } from "../in-toto-attestation/types.ts";

/** What of a process is attested by digest: `executable`, `image`, and what workload policies name. */
export interface AttestedComponents {
  /** One or more digests of each, all of which must be allowed where a WorkloadPolicy asks for the component. */
  readonly components: Readonly<Record<string, readonly Digest[]>>;
  /** Why one that could be expected is not among them, e.g. `interpreter` for `executable`: codes of denials. */
  readonly absent?: Readonly<Record<string, string>>;
}

/** A process at the other end of the socket, as the kernel and `/proc` describe it now. */
export interface AttestedWorkload extends AttestedComponents {
  readonly pid: number;
  /** What a WorkloadPolicy matches, e.g. `unix:uid:1000`, `unix:path:/usr/bin/widget`; sorted. */
  readonly selectors: readonly string[];
}

/** Whether something of it is files, whose contents may change while it runs: see `attestFiles`. */
export function hasFiles({ components, absent = {} }: AttestedComponents): boolean {
  return [...Object.keys(components), ...Object.keys(absent)].some((name) => name.includes("/"));
}

/** All digests that were attested. */
export function digestsOf({ components }: AttestedComponents): readonly Digest[] {
  return Object.values(components).flat();
}
