// Print GitHub's example deliveries from @octokit/webhooks-examples: one JSON line each, event name and body.
import { createRequire } from 'node:module'

const examples = createRequire(import.meta.url)('@octokit/webhooks-examples')
for (const { name, examples: bodies } of examples.default ?? examples)
  for (const body of bodies) console.log(JSON.stringify({ name, body }))
