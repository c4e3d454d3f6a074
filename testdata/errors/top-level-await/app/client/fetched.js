export const settings = await (await fetch('/settings.json')).json();
