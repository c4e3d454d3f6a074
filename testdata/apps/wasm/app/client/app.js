export async function init() {
  if (location.pathname !== '/') return;
  const policy = (await fetch('/')).headers.get('content-security-policy');
  document.title = policy.includes('wasm') ? `failed: ${policy}` : 'passed';
}
