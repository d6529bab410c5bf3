import { denied } from "../denied.ts";
import { createExecutableReader, type Executable } from "../executable.ts";
import type { ProcessStatus } from "../process-status.ts";
import type { Attestor } from "./attestor.ts";

/** A user may be in tens of thousands: the first as many count. */
const MAX_GROUPS = 32;

/** Every process is one: its user and groups, its cgroups, and the file that it runs. */
export function unixAttestor(): Attestor {
  const readExecutable = createExecutableReader();
  return {
    name: "unix",
    async attest({ pid, status, executable: expected }) {
      const executable = await readExecutable(pid);
      if (executable.state !== expected) {
        throw denied("executable-changed", "The process ran another executable while it was attested");
      }
      const selectors = selectorsOf(status, executable);
      if (executable.interpreter === undefined) {
        return { selectors, components: { executable: [executable.digest] } };
      }
      return { selectors, components: {}, absent: { executable: "interpreter" } };
    },
  };
}

function selectorsOf(
  { uid, gid, supplementaryGids, cgroups }: ProcessStatus,
  { digest, path }: Executable,
): string[] {
  return [
    `unix:uid:${uid}`,
    `unix:gid:${gid}`,
    ...supplementaryGids.slice(0, MAX_GROUPS).map((group) => `unix:supplementary_gid:${group}`),
    ...cgroups.map((cgroup) => `unix:cgroup:${cgroup}`),
    `unix:${digest}`,
    ...(path === undefined ? [] : [`unix:path:${path}`]),
  ];
}
