import Link from 'next/link';

export default ({ children }) => (
  <html>
    <body>
      {children}
      <Link href="/two">Push</Link>{' '}
      <Link href="/three" replace role="button">
        Replace
      </Link>
    </body>
  </html>
);
