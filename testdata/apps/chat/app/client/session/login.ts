// The card that asks for a name and a password.

interface Answer {
  user: string | null;
  field?: 'name' | 'password';
  problem?: string;
}

const FIELDS = ['name', 'password'] as const;

function card(): HTMLElement {
  return dom.one('#gate');
}

function field(which: string): HTMLInputElement {
  return dom.one<HTMLInputElement>(`[name="${which}"]`, card());
}

function complain(which: string, problem: string): void {
  for (const each of FIELDS) {
    const wrong = each === which && problem !== '';
    field(each).setAttribute('aria-invalid', String(wrong));
    dom.one(`#${each}-problem`, card()).textContent = wrong ? problem : '';
  }
  if (problem) field(which).focus();
}

function busy(is: boolean): void {
  dom.one<HTMLButtonElement>('button[type="submit"]', card()).disabled = is;
}

async function submit(): Promise<void> {
  const name = SS.shared.validate.name(field('name').value);
  if (name.problem) return complain('name', name.problem);
  const password = SS.shared.validate.password(field('password').value, name.value);
  if (password.problem) return complain('password', password.problem);
  complain('name', '');
  busy(true);
  try {
    const answer: Answer = await SS.server.session.login(name.value, password.value);
    if (answer.user === null) complain(answer.field ?? 'name', answer.problem ?? 'That did not work.');
    else await SS.client.app.refresh();
  } catch (error) {
    complain('name', (error as Error).message);
  } finally {
    busy(false);
  }
}

export function mount(): void {
  dom.replace(card(), [dom.make(SS.templates['session-login'], { title: SS.config.title })]);
  dom.on(card(), 'submit', 'form', (_form, event) => {
    event.preventDefault();
    void submit();
  });
}

export function show(yes: boolean): void {
  card().hidden = !yes;
  if (!yes) return;
  document.title = SS.config.title;
  field('password').value = '';
  field('name').focus();
}

export function leave(): void {
  SS.server.session.logout(() => SS.client.app.refresh());
}
