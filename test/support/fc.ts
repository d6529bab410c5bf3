import fc from "fast-check";

/**
 * fast-check, which looks for new inputs at each run, or with `VOUCHSAFE_SEED` (a whole number) takes the same ones each
 * time. CI sets it: what fails there is the change that it looks at, and fails again wherever it is looked into.
 */
const seed = process.env.VOUCHSAFE_SEED;
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });

export default fc;
