// graphql-ws: node graphql-ws.mjs URL DOCUMENT. Answers every result of one operation over graphql-transport-ws.
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { end } from './outcome.mjs'

const [url, query] = process.argv.slice(2)

await end(async () => {
  const client = createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
  const results = []
  for await (const result of client.iterate({ query })) results.push(result)
  await client.dispose()
  return results
})
