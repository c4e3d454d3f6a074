// Lit with the decorators of the language; `lit-experimental` has those of TypeScript before.
import { LitElement, html, css } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { equal, done } from './check';

@customElement('ss-hello')
class Hello extends LitElement {
  static styles = css`
    b {
      color: red;
    }
  `;
  @property({ type: Array }) accessor names: string[] = [];
  @state() private accessor open = true;

  render() {
    return html`${this.names.map((name) => html`<b>${name}</b>`)}${this.open ? '+' : '-'}`;
  }

  toggle() {
    this.open = !this.open;
  }
}

export async function init() {
  const element = document.createElement('ss-hello') as Hello;
  element.names = ['a', 'b'];
  document.body.append(element);
  await element.updateComplete;
  equal(element.shadowRoot!.textContent!.replace(/\s/g, ''), 'ab+');
  element.toggle();
  await element.updateComplete;
  equal(element.shadowRoot!.textContent!.replace(/\s/g, ''), 'ab-');
  done();
}
