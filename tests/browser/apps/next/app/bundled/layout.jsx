'use client';
import Link from 'next/link';
import { flush, track } from '@headwater/tracker';
import { Headwater } from './recipe'; // what the docs say

// The test makes the tracker hurry as it does the served one.
globalThis.headwater = { flush };

export default function Bundled({ children }) {
  return (
    <>
      <Headwater />
      {children}
      <Link href="/bundled/two">Further</Link> <button onClick={() => track('Bought', { plan: 'pro' })}>Buy</button>
    </>
  );
}
