// Called once, when the connection is there and the page is loaded.
export async function init(): Promise<void> {
  const greeting = await SS.server.app.greet(SS.config.title);
  document.getElementById('content')!.textContent = greeting;
}
