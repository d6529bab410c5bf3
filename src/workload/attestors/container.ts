import { VouchsafeError } from "../../errors.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { denied } from "../denied.ts";
import { forgetOldest } from "../forget-oldest.ts";
import { readProcessStatus } from "../process-status.ts";
import { type Attestation, type Attestor, NOTHING } from "./attestor.ts";
import { type ContainerCgroup, containerOf, isSameContainer } from "./container-cgroup.ts";

/** A container as its runtime describes it. */
export interface InspectedContainer {
  readonly id: string;
  /** Its first process, in the agent's pid namespace; 0 while there is none. */
  readonly initPid: number;
  /** Where the runtime knows the pod. */
  readonly podUid?: string;
  readonly selectors: readonly string[];
  /** Undefined where the runtime names no digest: then the container has no component `image`. */
  readonly image: Digest | undefined;
}

/** Undefined for a container that the runtime does not have. Throws anything where there is no answer to rely on. */
export type InspectContainer = (id: string, signal: AbortSignal) => Promise<InspectedContainer | undefined>;

export interface ContainerAttestorOptions {
  readonly name: string;
  readonly inspect: InspectContainer;
  /** Milliseconds that the runtime is given for one container. */
  readonly timeout?: number;
  readonly close?: () => void;
}

const TIMEOUT = 5_000;
const MAX_KNOWN = 4096;

interface Known {
  readonly container: ContainerCgroup;
  readonly initPid: number;
  readonly initStartTime: string;
  readonly attestation: Attestation;
}

/**
 * Attests the containers of one runtime. The cgroup says which container a process is in, the runtime what that is.
 * Both must mean the same: the container's first process, as the runtime names it, is in the same cgroup by the same
 * reading, so that no cgroup which somebody named like another's leads anywhere.
 *
 * What the runtime said is remembered for as long as that first process lives and stays there: image and labels are
 * fixed when a container is made, and a container that is started again has another first process.
 */
export function containerAttestor(options: ContainerAttestorOptions): Attestor {
  const { name, inspect, timeout = TIMEOUT, close = () => {} } = options;
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<InspectedContainer | undefined>>();

  /** Asks once for all who want to know at the same time. */
  function inspected(id: string): Promise<InspectedContainer | undefined> {
    const underWay = asking.get(id);
    if (underWay !== undefined) return underWay;
    const answer = inspect(id, AbortSignal.timeout(timeout)).finally(() => asking.delete(id));
    asking.set(id, answer);
    return answer;
  }

  async function learn(container: ContainerCgroup): Promise<Known | undefined> {
    const found = await inspected(container.id).catch((cause) => {
      throw noAnswer(name, (cause as Error).message, cause);
    });
    if (found === undefined) return undefined;
    if (found.id !== container.id) throw noAnswer(name, "it answered for another container");
    // The process runs already, so the container is about to be: the one who asks may ask again.
    if (found.initPid <= 0) throw noAnswer(name, "it does not say yet that the container runs");
    if (found.podUid !== undefined && container.podUid !== undefined && found.podUid !== container.podUid) {
      throw mismatch(name);
    }
    const init = await readProcessStatus(found.initPid).catch((cause) => {
      throw noAnswer(name, "the container's first process has ended", cause);
    });
    const itsOwn = containerOf(init.cgroups, await ownCgroups());
    if (itsOwn === undefined || !isSameContainer(itsOwn, container)) throw mismatch(name);
    const { selectors, image, initPid } = found;
    const attestation = { selectors, ...imageComponent(image) };
    return { container, initPid, initStartTime: init.startTime, attestation };
  }

  return {
    name,
    async attest({ status }) {
      const container = containerOf(status.cgroups, await ownCgroups());
      if (container === undefined) return NOTHING;
      const before = known.get(container.id);
      if (before !== undefined && (await stillRuns(before, container))) return before.attestation;
      known.delete(container.id);
      const learned = await learn(container);
      if (learned === undefined) return NOTHING;
      known.set(container.id, learned);
      forgetOldest(known, MAX_KNOWN);
      return learned.attestation;
    },
    close,
  };
}

async function stillRuns(
  { container, initPid, initStartTime }: Known,
  asked: ContainerCgroup,
): Promise<boolean> {
  if (!isSameContainer(container, asked)) return false;
  const init = await readProcessStatus(initPid).catch(() => undefined);
  if (init === undefined || init.startTime !== initStartTime) return false;
  const now = containerOf(init.cgroups, await ownCgroups());
  return now !== undefined && isSameContainer(now, asked);
}

/** @param image undefined where the digest of a container's image is not known */
export function imageComponent(image: Digest | undefined): Omit<Attestation, "selectors"> {
  return image === undefined
    ? { components: {}, absent: { image: "image-unknown" } }
    : { components: { image: [image] } };
}

/** The agent's: read anew, because it may be moved. */
export async function ownCgroups(): Promise<readonly string[]> {
  return (await readProcessStatus(process.pid)).cgroups;
}

/** There is no answer now; there may be one later. */
export function noAnswer(attestor: string, why: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("unavailable", `The attestor ${attestor} has no answer: ${why}`, { cause });
}

function mismatch(name: string): VouchsafeError {
  const what = `The process's cgroup bears the name of a container that ${name} has elsewhere`;
  return denied("container-mismatch", what);
}
