// Over the page: what is wrong with the app's sources, and what failed on the server. It lives in a shadow root, so that
// neither its styles nor the page's reach the other, and its stylesheet is made by script, which every policy allows.

/** Something that its author should see. */
export interface Problem {
  /** In a word: `error`, or what failed. */
  title: string;
  /** The whole of it, with the lines of code. */
  text: string;
  /** Where to go: as `app/client/app.js:3:5`, and the address that opens it. */
  places: { name: string; url: string }[];
}

const STYLE = `
:host { all: initial; }
.back { position: fixed; inset: 0; z-index: 2147483647; overflow: auto; background: rgba(15, 17, 23, .82); padding: 5vh 4vw; }
.card { max-width: 62rem; margin: 0 auto 1.25rem; background: #171a21; color: #d8dee9; border-top: 4px solid #e5534b;
  border-radius: 6px; box-shadow: 0 12px 40px rgba(0, 0, 0, .5); font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace; }
header { display: flex; gap: 1rem; align-items: baseline; padding: .9rem 1.2rem .2rem; color: #ff8f87; font-weight: 600; }
header span { flex: 1; }
button { font: inherit; color: #d8dee9; background: none; border: 1px solid #444c5c; border-radius: 4px; padding: 0 .6rem;
  cursor: pointer; }
em { color: #ff8f87; font-style: normal; }
pre { margin: 0; padding: .4rem 1.2rem 1rem; overflow-x: auto; white-space: pre; font: inherit; }
nav { padding: 0 1.2rem 1rem; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
a { color: #7cb7ff; }
footer { max-width: 62rem; margin: 0 auto; color: #8b94a7; font: 13px/1.5 system-ui, sans-serif; }
`;

/** The overlay of a document, which is not there while there is nothing to show. */
export function createOverlay(document: Document) {
  let problems: Problem[] = [];
  let failures: Problem[] = [];
  let host: HTMLElement | null = null;
  let root: ShadowRoot | null = null;

  function element<K extends keyof HTMLElementTagNameMap>(
    name: K,
    text: string,
    ...children: Node[]
  ): HTMLElementTagNameMap[K] {
    const made = document.createElement(name);
    made.textContent = text;
    made.append(...children);
    return made;
  }

  function card(problem: Problem, first: boolean) {
    const head = element("header", "", element("span", problem.title));
    if (first) {
      const close = element("button", "Esc");
      close.title = "Close until something changes";
      close.onclick = dismiss;
      head.append(close);
    }
    const links = problem.places.map(({ name, url }) => {
      const link = element("a", name);
      link.href = url;
      return link;
    });
    const made = element("section", "", head, frame(problem), element("nav", "", ...links));
    made.className = "card";
    return made;
  }

  /** The lines of code, with what is meant in colour. */
  function frame(problem: Problem) {
    const lines = problem.text.split("\n");
    // The title stands above already.
    if (lines.length > 1 && lines[0].endsWith(problem.title)) lines.shift();
    const parts = lines.map((line) => {
      const marks = /^([\s|]*\| *)(\^+.*)$/.exec(line);
      return marks ? element("span", "", new Text(marks[1]), element("em", marks[2]), new Text("\n")) : new Text(line + "\n");
    });
    return element("pre", "", ...parts);
  }

  function draw() {
    const all = problems.concat(failures);
    if (!all.length) {
      if (host) host.remove();
      host = root = null;
      return;
    }
    if (!host || !root) {
      host = document.createElement("ss-overlay");
      root = host.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      document.documentElement.append(host);
    }
    const foot = problems.length
      ? "The page still runs the last build that was good. This goes away when the mistake is mended."
      : "An action failed. This goes away with the next change.";
    const back = element("div", "", ...all.map((problem, n) => card(problem, n === 0)), element("footer", foot));
    back.className = "back";
    root.replaceChildren(back);
  }

  function dismiss() {
    if (host) host.remove();
    host = root = null;
    failures = [];
  }

  document.addEventListener("keydown", (event) => {
    if (host && event.key === "Escape") dismiss();
  });

  return {
    /** What is wrong with the sources now; what failed before a change is past. */
    problems(now: Problem[]) {
      problems = now;
      failures = [];
      draw();
    },
    /** Something failed; the latest few are shown. */
    failure(problem: Problem) {
      failures = failures.filter((other) => other.text !== problem.text).concat(problem).slice(-3);
      draw();
    },
  };
}
