let failed = '';
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) failed ||= `${what}: ${String(actual)} is not ${String(expected)}`;
}
export function done(): void {
  document.title = failed ? `failed: ${failed}` : 'passed';
}
