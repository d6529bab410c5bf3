/** Whether a text is a URL that HTTP is spoken to. Whether it may be asked is another question (`outbound/check-url.ts`). */
export function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}
