import { inlineStyle } from "./html.ts";

/** Of the reference page. System fonts and colours of our own, in both schemes; nothing is loaded. */
export const REFERENCE_STYLE = inlineStyle(`
:root {
  color-scheme: light dark;
  --ink: light-dark(#1d2430, #dfe5ee); --soft: light-dark(#5a6576, #97a3b6); --paper: light-dark(#fff, #12161d);
  --panel: light-dark(#f4f6f9, #1a202a); --line: light-dark(#dce1e8, #2b3442); --link: light-dark(#0b57b0, #82b8ff);
  --get: light-dark(#0b6b3a, #5fd38d); --post: light-dark(#8a4b00, #f0b35a); --delete: light-dark(#a3122a, #ff8a9a);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; display: grid; grid-template-columns: 19rem minmax(0, 1fr); color: var(--ink);
  background: var(--paper); font: 1rem/1.55 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 3rem 1.5rem;
  border-right: 1px solid var(--line); background: var(--panel); font-size: .875rem; }
nav h2 { margin: 1.25rem 0 .25rem; font-size: .75rem; text-transform: uppercase; letter-spacing: .06em; color: var(--soft); }
nav h2 a { color: inherit; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; gap: .5rem; padding: .15rem 0; color: var(--ink); overflow-wrap: anywhere; }
nav .method { flex: 0 0 2.6rem; text-align: right; font-size: .7rem; line-height: 1.9; padding: 0; border: 0; }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 76rem; }
h1 { margin: 0 0 .5rem; font-size: 2rem; line-height: 1.2; }
main h2 { margin: 3.5rem 0 .25rem; font-size: 1.5rem; }
section > p { margin: .25rem 0 1rem; max-width: 46rem; }
article { margin: 1.5rem 0; padding-top: 1.5rem; border-top: 1px solid var(--line); }
article h3 { margin: 0 0 .35rem; font-size: 1.05rem; font-weight: 600; display: flex; flex-wrap: wrap; gap: .6rem; align-items: baseline; }
article h3 a { color: inherit; overflow-wrap: anywhere; }
article h3 code { font-size: 1rem; }
article h4 { margin: 1.1rem 0 .3rem; font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); }
article p { margin: .25rem 0; max-width: 50rem; }
.method { font: 700 .75rem/1.7 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; text-transform: uppercase; padding: 0 .45rem;
  border: 1px solid currentcolor; border-radius: .3rem; }
.get { color: var(--get); } .post { color: var(--post); } .delete { color: var(--delete); }
.role { display: inline-block; margin: 0 .35rem .2rem 0; padding: 0 .5rem; border: 1px solid var(--line);
  border-radius: 1rem; background: var(--panel); font-size: .8rem; color: var(--soft); }
.scroll { overflow-x: auto; margin-bottom: .6rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .8rem; }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { white-space: nowrap; }
td:last-child { width: 55%; overflow-wrap: anywhere; }
.must { color: var(--delete); } .soft { color: var(--soft); }
pre { margin: .4rem 0; padding: .8rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; background: var(--panel); }
@media (max-width: 60rem) { body { display: block; } nav { position: static; height: auto; max-height: 45vh; border-right: 0;
  border-bottom: 1px solid var(--line); } td:first-child { white-space: normal; } }
@media print { nav { display: none; } body { display: block; } }
`);
