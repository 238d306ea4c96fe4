export const metadata = { title: 'Bundled two' };
export default () => <h1>Bundled two</h1>;
