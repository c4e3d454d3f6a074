// Who this browser is logged in as.

export let name: string | null = null;

export function become(user: string | null): void {
  name = user;
}
