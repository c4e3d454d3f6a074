// What the page says of its build: `<script type="application/json" id="ss-data">`.

/** The data as it stands in the page. */
export interface PageData {
  build?: string;
  env?: string;
  app?: string;
  /** Address of the socket, when it is not the page's own host. */
  socket?: string | null;
  config?: { [key: string]: any };
  /** `false` when the app is not to begin by itself: in its tests. */
  init?: boolean;
  /** Chunk id to its address and integrity. */
  chunks?: { [id: string]: [string, string] };
  /** What addresses of assets start with, when they are on another host. */
  base?: string | null;
}

/** The data as it is meant. */
export interface Page {
  build: string;
  env: string;
  config: { [key: string]: any };
  init: boolean;
  socketUrl: string;
  sessionUrl: string;
}

/** Fills in what the page left out. */
export function readPage(data: PageData, here: string): Page {
  const url = new URL(data.socket || "/_ss/socket", here);
  if (url.pathname === "/") url.pathname = "/_ss/socket";
  url.protocol = url.protocol.replace("http", "ws");
  return {
    build: data.build || "",
    env: data.env || "production",
    config: data.config || {},
    init: data.init !== false,
    socketUrl: url.href,
    sessionUrl: new URL("/_ss/session", url).href.replace("ws", "http"),
  };
}
