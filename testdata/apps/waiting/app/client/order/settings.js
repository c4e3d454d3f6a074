const load = () => new Promise((resolve) => setTimeout(() => resolve({ language: 'en' }), 20));
export const { language } = await load();
