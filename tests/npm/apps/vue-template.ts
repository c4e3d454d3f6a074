// The build with the template compiler in it, which evaluates text.
import { createApp, reactive, nextTick, Transition } from 'vue/dist/vue.esm-bundler.js';
import { equal, done } from './check';

export async function init() {
  const state: { names: string[]; open: boolean } = reactive({ names: ['a', 'b'], open: false });
  const root = document.createElement('div');
  document.body.append(root);
  createApp({
    components: { Transition },
    setup: () => ({ state }),
    template: '<p v-if="state.open" v-for="name in state.names" :key="name" @click="state.open = false">{{ name.toUpperCase() }}</p><i v-else />',
  }).mount(root);
  state.open = true;
  await nextTick();
  equal(root.textContent, 'AB');
  root.querySelector('p')!.click();
  await nextTick();
  equal(root.querySelectorAll('p').length, 0);
  done();
}
