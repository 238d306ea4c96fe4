export const metadata = { title: 'Two' };
export default () => <h1>Two</h1>;
