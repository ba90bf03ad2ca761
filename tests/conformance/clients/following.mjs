// node following.mjs CLIENT URL DOCUMENT VARIABLES COUNT DEED AUTHORIZATION
// A subscription of a client that is cut off after COUNT reactions. Then the DEED is done, past the client, and it comes
// back as its users would have it: after the last event it saw. Answers all it was told, until the deed was.
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { Client, fetchExchange } from '@urql/core'
import { createClient as overSse } from 'graphql-sse'
import { createClient as overWebSocket } from 'graphql-ws'
import WebSocket from 'ws'
import { end } from './outcome.mjs'
import { road } from './road.mjs'

const [name, target, query, given, count, deed, authorization] = process.argv.slice(2)
const way = await road(target)
const url = way.through
const results = []
// Where it goes on is read anew each time it is asked: a client that tries again by itself sends the same object.
const variables = { ...JSON.parse(given), get after() { return results.at(-1)?.roomEvents.id ?? JSON.parse(given).after } }
const soon = () => new Promise((done) => setTimeout(done, 50))

// Whether all was told. That a room is warmer is told in between, whenever that is.
async function heard(data) {
  results.push(data)
  const reactions = results.filter(({ roomEvents }) => roomEvents.reaction).length
  if (data.roomEvents.reaction && reactions === Number(count)) {
    way.close()
    const headers = { 'content-type': 'application/json', authorization }
    await fetch(target, { method: 'POST', headers, body: deed })
    way.open()
  }
  return reactions > Number(count)
}

// These two come back by themselves.
async function iterated(client) {
  for await (const { data } of client.iterate({ query, variables })) {
    if (await heard(data)) break
  }
  await client.dispose()
}

// These two say that they were cut off.
async function observed(subscribe) {
  let over = false
  while (!over) {
    await new Promise((done) => {
      const { unsubscribe } = subscribe(async ({ data, error }) => {
        if (data) over = await heard(data)
        if (error || over) {
          setTimeout(() => unsubscribe())
          done()
        }
      })
    })
    await soon()
  }
}

const again = { retryAttempts: 20, retryWait: soon }
const clients = {
  'graphql-ws': () => iterated(overWebSocket({ ...again, url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, shouldRetry: () => true })),
  'graphql-sse': () => iterated(overSse({ ...again, url })),
  urql: () => {
    const client = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false })
    return observed((next) => client.subscription(query, { ...variables }).subscribe(next))
  },
  apollo: () => {
    const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url }) })
    return observed((next) => {
      const options = { query: gql(query), variables: { ...variables } }
      const subscription = client.subscribe(options).subscribe({ next, error: (error) => next({ error }) })
      return { unsubscribe: () => subscription.unsubscribe() }
    })
  },
}

await end(async () => {
  try {
    await clients[name]()
    return results
  } finally {
    way.end()
  }
})
