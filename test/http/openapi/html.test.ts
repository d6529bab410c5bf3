import assert from "node:assert/strict";
import { test } from "node:test";
import { html, inlineStyle, prose } from "../../../src/http/openapi/html.ts";

test("text is escaped, in elements and in quoted attributes; what a template made is not escaped again", () => {
  const hostile = `</p><script>"'&`;
  const escaped = "&lt;/p&gt;&lt;script&gt;&quot;&#39;&amp;";
  assert.equal(String(html`<p title="${hostile}">${hostile}</p>`), `<p title="${escaped}">${escaped}</p>`);
  assert.equal(String(html`<ul>${["<", html`<b>${"<"}</b>`]}</ul>`), "<ul>&lt;<b>&lt;</b></ul>");
});

test("nothing is written of what is not there, and numbers as they are", () => {
  assert.equal(String(html`${undefined}${null}${false}${0}`), "0");
});

test("an object that was read cannot pass for markup", () => {
  const read = JSON.parse('{"markup":"<script>","toString":"<script>"}');
  assert.throws(() => html`${read}`);
});

test("backticks in a description are code, and still escaped", () => {
  assert.equal(String(prose("a `<b>` c")), "a <code>&lt;b&gt;</code> c");
});

test("a style sheet that could end its element is refused", () => {
  assert.throws(() => inlineStyle("</style><script>"));
});
