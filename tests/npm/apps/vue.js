import { createApp, h, ref, computed, nextTick, defineComponent } from 'vue';
import { equal, done } from './check';

const Item = defineComponent({
  props: { label: String },
  setup: (props, { slots }) => () => h('li', { class: 'item' }, [props.label, slots.default?.()]),
});

export async function init() {
  const count = ref(1);
  const double = computed(() => count.value * 2);
  const app = createApp({
    setup: () => () => h('ul', [h(Item, { label: `n ${double.value}` }, { default: () => h('b', '!') })]),
  });
  const root = document.createElement('div');
  document.body.append(root);
  app.mount(root);
  equal(root.innerHTML, '<ul><li class="item">n 2<b>!</b></li></ul>');
  count.value = 5;
  await nextTick();
  equal(root.innerHTML, '<ul><li class="item">n 10<b>!</b></li></ul>');
  done();
}
