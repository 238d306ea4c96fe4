import { h } from 'vue';
import { createRouter, createWebHistory, RouterLink } from 'vue-router';

const component = { render: () => h(RouterLink, { to: '/two' }, () => 'Push') };
const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component, meta: { title: 'Home' } },
    { path: '/two', component, meta: { title: 'Two' } },
  ],
});
router.afterEach(({ meta }) => {
  document.title = meta.title;
});
export default router;
