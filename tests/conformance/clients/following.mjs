// node following.mjs CLIENT URL DOCUMENT VARIABLES COUNT. Answers the first results of a subscription, then leaves it.
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { Client, fetchExchange } from '@urql/core'
import { createClient as overSse } from 'graphql-sse'
import { createClient as overWebSocket } from 'graphql-ws'
import WebSocket from 'ws'
import { end } from './outcome.mjs'

const [name, url, query, given, count] = process.argv.slice(2)
const variables = JSON.parse(given)
const most = Number(count)

async function iterated(client) {
  const results = []
  for await (const { data } of client.iterate({ query, variables })) {
    results.push(data)
    if (results.length === most) break
  }
  await client.dispose()
  return results
}

function observed(subscribe) {
  return new Promise((resolve, reject) => {
    const results = []
    const { unsubscribe } = subscribe(({ data, error }) => {
      if (error) reject(error)
      else if (results.push(data) === most) {
        setTimeout(() => unsubscribe())
        resolve(results)
      }
    })
  })
}

const clients = {
  'graphql-ws': () => iterated(overWebSocket({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket })),
  'graphql-sse': () => iterated(overSse({ url })),
  urql: () => {
    const client = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false })
    return observed((next) => client.subscription(query, variables).subscribe(next))
  },
  apollo: () => {
    const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url }) })
    return observed((next) => {
      const subscription = client.subscribe({ query: gql(query), variables }).subscribe({ next, error: (error) => next({ error }) })
      return { unsubscribe: () => subscription.unsubscribe() }
    })
  },
}

await end(clients[name])
