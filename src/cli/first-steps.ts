/** What `vouchsafe` by itself prints: the next step, for whoever has nothing yet and for whoever has a server. */
export const FIRST_STEPS = `vouchsafe says whether an artifact may run, and why.

Verify one by its files alone:
  vouchsafe verify FILE --bundle BUNDLE --repo OWNER/REPO

With a server, here by \`npm start\` or elsewhere by --server or VOUCHSAFE_SERVER:
  vouchsafe push BUNDLE
  vouchsafe verify-digest FILE --policy NAME
  vouchsafe custody show FILE

vouchsafe --help lists every command, and vouchsafe help COMMAND says how it is called.`;
