// What a site of Vue and Vite declares for itself.
declare module '*.vue' {
  const component: import('vue').Component;
  export default component;
}
