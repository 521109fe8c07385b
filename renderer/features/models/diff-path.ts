/** Address of the comparison of two versions' records, each written `name@version`. */
export function diffPath(a: string, b: string): string {
  return `/models/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`;
}
