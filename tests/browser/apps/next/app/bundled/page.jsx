export const metadata = { title: 'Bundled' };
export default () => <h1>Bundled</h1>;
