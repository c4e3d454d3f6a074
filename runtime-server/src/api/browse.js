// What is JSON is taken as that, all else as text; what is left empty at the end is left out.
function value(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function args(form) {
  const values = [];
  for (const input of form.querySelectorAll('input')) {
    const given = input.value === '' ? undefined : value(input.value);
    if (input.dataset.rest === undefined) values.push(given);
    else if (given !== undefined) values.push(...[].concat(given));
  }
  while (values.length && values.at(-1) === undefined) values.pop();
  return values;
}

function shown(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

document.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const output = form.querySelector('output');
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(form.getAttribute('action') + '.json', { method: 'POST', headers, body: JSON.stringify(args(form)) });
    output.className = answer.ok ? '' : 'failed';
    output.textContent = answer.status + ' ' + shown(await answer.text());
  } catch (error) {
    output.className = 'failed';
    output.textContent = String(error);
  }
});
