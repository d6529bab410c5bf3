import { IS_INTEROP } from "./interop.ts";
import { IS_LONG } from "./long.ts";

const PATIENCE = IS_LONG || IS_INTEROP ? 10 : 1;

export const TEST_TIMEOUT_MS = 120_000 * PATIENCE;
export const FILE_TIMEOUT_MS = 240_000 * PATIENCE;
/** Of a process, which may have several files. Less than CI gives all of them, so that what hangs there is named. */
export const PROCESS_TIMEOUT_MS = IS_INTEROP ? 2_400_000 : IS_LONG ? 840_000 : 480_000;
