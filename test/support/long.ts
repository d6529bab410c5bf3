/** Tests that take too long for everybody's: `.ci/run` runs them, and whoever sets this. */
export const IS_LONG = process.env.VOUCHSAFE_LONG === "1";

/** For `skip`: the reason that is printed, where they are not asked for. */
export const UNLESS_LONG: false | string = !IS_LONG && "VOUCHSAFE_LONG=1 asks for it";
