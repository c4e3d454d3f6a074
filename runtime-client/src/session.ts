// A login changes the session's id: the server hands out a ticket, and only an HTTP answer can set the new cookie.

import type { Env } from "./env";

/** How often a ticket is sent when the network fails; it is void after 30 seconds anyway. */
const ATTEMPTS = 4;

/** Redeems a ticket; rejects when the server refuses it or cannot be reached. */
export function redeem(env: Env, url: string, ticket: string, attempt = 1): Promise<void> {
  return env
    .fetch(url, {
      method: "POST",
      // The socket may be on another host of the same site.
      credentials: "include",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ticket }),
    })
    .then(
      (response) => {
        if (!response.ok) throw new Error("The new session was refused with status " + response.status);
      },
      (error) => {
        if (attempt >= ATTEMPTS) throw error;
        return new Promise<void>((resolve) => env.setTimeout(resolve, 1000 * attempt)).then(() =>
          redeem(env, url, ticket, attempt + 1),
        );
      },
    );
}
