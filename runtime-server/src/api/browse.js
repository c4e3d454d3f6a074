document.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const output = form.querySelector('output');
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(form.getAttribute('action') + '.json', { method: 'POST', headers, body: form.elements.args.value });
    output.className = answer.ok ? '' : 'failed';
    output.textContent = answer.status + ' ' + (await answer.text());
  } catch (error) {
    output.className = 'failed';
    output.textContent = String(error);
  }
});
