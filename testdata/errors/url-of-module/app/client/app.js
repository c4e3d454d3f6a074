import secret from '/server/secret.png';
export const picture = new URL('./nowhere.png', import.meta.url);
export const init = () => [new Worker(new URL('./worker.js', import.meta.url)), new Worker(new URL('./gone.js', import.meta.url)), secret];
