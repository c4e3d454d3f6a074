// Lets node:test import the client's TypeScript: types are stripped by the compiler, nothing is bundled.
import { register } from "node:module";

register("./typescript.mjs", import.meta.url);
