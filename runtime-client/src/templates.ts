// `SS.templates`: the texts of the page's `<script type="text/html">` elements, by id.

/** The templates by id; complete once the document is. */
export function createTemplates(document: Document): () => { [id: string]: string } {
  let complete: { [id: string]: string } | null = null;

  return () => {
    if (complete) return complete;
    const templates: { [id: string]: string } = Object.create(null);
    document.querySelectorAll('script[type="text/html"]').forEach((element) => {
      if (element.id) templates[element.id] = element.textContent || "";
    });
    if (document.readyState !== "loading") complete = templates;
    return templates;
  };
}
