export const metadata = { title: 'Three' };
export default () => <h1>Three</h1>;
