import { LitElement, html, css } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { equal, done } from './check';

@customElement('ss-hello')
class Hello extends LitElement {
  static styles = css`
    b {
      color: red;
    }
  `;
  @property({ type: Array }) declare names: string[];
  @state() private declare open: boolean;

  constructor() {
    super();
    this.names = [];
    this.open = true;
  }

  render() {
    return html`${repeat(this.names, (name) => name, (name) => html`<b>${name}</b>`)}${this.open ? '+' : '-'}`;
  }
}

export async function init() {
  const element = document.createElement('ss-hello') as Hello;
  element.names = ['a', 'b'];
  document.body.append(element);
  await element.updateComplete;
  equal(element.shadowRoot!.textContent!.replace(/\s/g, ''), 'ab+');
  done();
}
