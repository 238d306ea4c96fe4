// What must not compile. `tsc` fails when a line marked so does.
import { alias, consent, identify, links, queue, set, shop, spa, start, track } from '../src/index.ts';
import { useHeadwater } from '../src/react.ts';

start({ endpoint: 'https://c.example/e/web' }, [spa, links, queue]);
track('Signed up', { plan: 'pro' });
identify('u-1').then((answer) => [answer?.status?.toFixed(), answer?.outcome, answer?.headers?.get('Retry-After')]);
consent({ analytics: true });
shop('purchase', { transaction_id: 'T1', value: 5 });
useHeadwater({ endpoint: '/e/web', privacy: 'cookie' }, [queue]).track('Seen');

// @ts-expect-error a bundled tracker has no script to learn its endpoint from
start({}, [queue]);
// @ts-expect-error features are listed
start({ endpoint: '/e/web' });
// @ts-expect-error no such setting
start({ endpoint: '/e/web', interval: 5 }, []);
// @ts-expect-error no such privacy mode
start({ endpoint: '/e/web', privacy: 'none' }, []);
// @ts-expect-error a feature is handed over, not called
start({ endpoint: '/e/web' }, [links()]);
// @ts-expect-error an event has a name
track();
// @ts-expect-error a name is text
track(1);
// @ts-expect-error properties are an object
track('Signed up', 'pro');
// @ts-expect-error a call that was dropped has no answer of a server
track('Signed up').then((answer) => answer?.status.toFixed());
// @ts-expect-error a user has an id
identify({ plan: 'pro' });
// @ts-expect-error an alias joins two ids
alias('new');
// @ts-expect-error consent is given or not, by category
consent({ analytics: 'yes' });
// @ts-expect-error not an answer
consent('perhaps');
// @ts-expect-error super properties are an object
set('plan', 'pro');
// @ts-expect-error not a word of GA4's for shopping
shop('buy', { value: 5 });
// @ts-expect-error features that come with the served file alone
void import('../src/index.ts').then(({ attributes }) => attributes);
