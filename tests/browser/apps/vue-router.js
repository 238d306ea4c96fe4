import { createApp, h } from 'vue';
import { createRouter, createWebHistory, RouterLink, RouterView, useRouter } from 'vue-router';

const page = {
  setup() {
    const router = useRouter();
    return () => [
      h(RouterLink, { to: '/two' }, () => 'Push'),
      h('button', { onClick: () => router.replace('/three') }, 'Replace'),
    ];
  },
};
const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component: page, meta: { title: 'Home' } },
    { path: '/two', component: page, meta: { title: 'Two' } },
    { path: '/three', component: page, meta: { title: 'Three' } },
  ],
});
router.afterEach(({ meta }) => {
  document.title = meta.title;
});
createApp({ render: () => h(RouterView) })
  .use(router)
  .mount('#app');
