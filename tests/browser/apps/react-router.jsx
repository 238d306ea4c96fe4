import { createRoot } from 'react-dom/client';
import { createBrowserRouter, Link, RouterProvider, useNavigate } from 'react-router';

function Page({ title }) {
  const navigate = useNavigate();
  return (
    <>
      <title>{title}</title>
      <Link to="/two">Push</Link>
      <button onClick={() => navigate('/three', { replace: true })}>Replace</button>
    </>
  );
}

const router = createBrowserRouter([
  { path: '/', element: <Page title="Home" /> },
  { path: '/two', element: <Page title="Two" /> },
  { path: '/three', element: <Page title="Three" /> },
]);
createRoot(document.getElementById('app')).render(<RouterProvider router={router} />);
