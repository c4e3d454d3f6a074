const settings = await fetch('https://example.com/settings');
export const actions = { settings: () => settings };
