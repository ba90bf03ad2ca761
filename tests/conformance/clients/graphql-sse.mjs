// graphql-sse: node graphql-sse.mjs URL DOCUMENT. Answers every result of one operation over a distinct connection.
import { createClient } from 'graphql-sse'
import { end } from './outcome.mjs'

const [url, query] = process.argv.slice(2)

await end(async () => {
  const client = createClient({ url, retryAttempts: 0 })
  const results = []
  for await (const result of client.iterate({ query })) results.push(result)
  client.dispose()
  return results
})
