import type { Glob } from "../policy/glob.ts";
import type { AttestedComponents } from "./attested-workload.ts";
import type { Attestation } from "./attestors/attestor.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { ReadFiles } from "./files/component-files.ts";
import type { IdentitySource } from "./identity-source.ts";
import { PATIENCE, within } from "./wait.ts";

/** A workload policy that asks for files, as far as an agent has to know it. */
export interface Registration {
  readonly workload: string;
  /** Each must match one of a process's selectors. */
  readonly selectors: readonly Glob[];
  /** By component, patterns of `parseFilePattern`. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

/** Of files: the server takes 128 digests and 64 components in one request, and the other attestors name a few. */
const MAX_DIGESTS = 96;
const MAX_COMPONENTS = 62;

export type FilesOf = (pid: number, selectors: readonly string[]) => Promise<Attestation>;

/**
 * Attests the files that workload policies name, under `POLICY/COMPONENT`. Which policies there are is asked anew
 * once something may have changed them. While the source is away those count that were known last: what they
 * let a process have is what was granted before. The answer throws `VouchsafeError` (`unavailable`).
 */
export function attestFiles(
  source: Pick<IdentitySource, "registrations">,
  feed: Pick<ChangeFeed, "follow">,
  readFiles: ReadFiles,
): FilesOf {
  let known: readonly Registration[] | undefined;
  let asking: Promise<readonly Registration[]> | undefined;
  // Told first of all followers: none is attested by what was before.
  feed.follow([], () => {
    asking = undefined;
  });

  function ask(): Promise<readonly Registration[]> {
    if (asking !== undefined) return asking;
    const answer = source.registrations();
    asking = answer;
    answer.then(
      (registrations) => {
        if (asking === answer) known = registrations;
      },
      () => {
        if (asking === answer) asking = undefined;
      },
    );
    return answer;
  }

  async function current(): Promise<readonly Registration[]> {
    const answer = ask();
    if (known === undefined) return answer;
    const before = known;
    return (await within(PATIENCE, answer).catch(() => undefined)) ?? before;
  }

  return async (pid, selectors) => {
    const asked = (await current()).filter((one) =>
      one.selectors.every((glob) => selectors.some((selector) => glob.matches(selector))),
    );
    const attested: {
      selectors: readonly string[];
      components: Record<string, AttestedComponents["components"][string]>;
      absent: Record<string, string>;
    } = {
      selectors: [],
      components: {},
      absent: {},
    };
    // Those of policies beyond are as good as missing.
    const named = asked
      .flatMap(({ workload, files }) =>
        [...files].map(([component, patterns]) => [`${workload}/${component}`, patterns] as const),
      )
      .slice(0, MAX_COMPONENTS);
    let count = 0;
    for (const [name, patterns] of named) {
      const found = await readFiles(pid, patterns);
      if (typeof found === "string") attested.absent[name] = found;
      else if (count + found.length > MAX_DIGESTS) attested.absent[name] = "files-too-many";
      else {
        attested.components[name] = found;
        count += found.length;
      }
    }
    return attested;
  };
}
