export const metadata = { title: 'Home' };
export default () => <h1>Home</h1>;
