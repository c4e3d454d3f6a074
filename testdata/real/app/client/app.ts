import { checks } from './smoke';
import { modules } from './modules';

declare global {
  var realInput: { modules: Record<string, object>; results: Record<string, unknown> };
  var SS: any;
}

// Reachable from outside, so that no bundler may drop a module.
globalThis.realInput = { modules, results: {} };

export async function init(): Promise<void> {
  const results: Record<string, unknown> = { modules: Object.keys(modules).length };
  for (const [name, check] of Object.entries(checks)) {
    try {
      results[name] = await check();
    } catch (error) {
      results[name] = `threw: ${error}`;
    }
  }
  globalThis.realInput.results = results;
  document.documentElement.dataset['smoke'] = 'done';
}
