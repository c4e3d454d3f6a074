// What stands on the page. Text is always set as text, never as HTML.

const one = (id) => document.getElementById(id);

function line(text, strong) {
  const item = document.createElement('li');
  if (strong) item.append(Object.assign(document.createElement('b'), { textContent: strong }));
  item.append(text);
  return item;
}

exports.state = (text) => {
  one('state').textContent = text;
};

exports.problem = (text) => {
  one('problem').textContent = text || '';
};

/** Shows a template, and calls `submit` with the fields of its form. */
exports.show = (template, submit) => {
  const content = one('content');
  content.innerHTML = SS.templates[template];
  content.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    submit(event.target.elements);
  });
};

exports.people = (names) => {
  const list = one('people');
  if (list) list.replaceChildren(...names.map((name) => line(name)));
};

exports.message = ({ from, text }) => {
  const list = one('messages');
  if (list) list.append(line(text, from));
};
