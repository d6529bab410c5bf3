import { setting } from "../setting.ts";
import { integer } from "../values.ts";

const MIB = 1024 * 1024;

/** How much of anything one node takes. Sizes in bytes. */
export const LIMITS = {
  maxBody: setting(
    "VOUCHSAFE_MAX_BODY",
    "limits.maxBody",
    integer(1024, 256 * MIB),
    String(16 * MIB),
    "bytes of one upload",
  ),
};
