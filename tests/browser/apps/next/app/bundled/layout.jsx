'use client';
import Link from 'next/link';
import { leaving, queue, spa, title } from '@headwater/tracker';
import { useHeadwater } from '@headwater/tracker/react';

const features = [leaving, title, spa, queue];

export default function Bundled({ children }) {
  // The test says where its collector is, and makes the tracker hurry as it does the served one.
  const { flush, track } = useHeadwater({ endpoint: globalThis.endpoint }, features);
  globalThis.headwater = { flush };
  return (
    <>
      {children}
      <Link href="/bundled/two">Further</Link> <button onClick={() => track('Bought', { plan: 'pro' })}>Buy</button>
    </>
  );
}
