// The runtime client's entry: it installs `window.SS`. The loader stands before it, the page's data before both.

import { createClient } from "./client";
import { browserEnv } from "./env";
import type { Loader } from "./tree";

const page = window as unknown as { SS: object; __ss: Loader };
page.SS = createClient(browserEnv(), page.__ss);
