import { createRoot } from 'react-dom/client';
import { createBrowserRouter, Link, Outlet, RouterProvider } from 'react-router';
import { App } from './recipe';

const root = (
  <>
    <App />
    <Outlet />
  </>
);
const page = (title) => (
  <>
    <title>{title}</title>
    <Link to="/two">Push</Link>
  </>
);
const children = [
  { path: '/', element: page('Home') },
  { path: '/two', element: page('Two') },
];
createRoot(document.getElementById('app')).render(
  <RouterProvider router={createBrowserRouter([{ element: root, children }])} />,
);
