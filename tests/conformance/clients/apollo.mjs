// Apollo Client: node apollo.mjs URL DOCUMENT. Answers what the caller gets, what the cache keeps, what was exchanged.
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { end, exchanges, watched } from './outcome.mjs'

const [uri, text] = process.argv.slice(2)
const document = gql(text)
const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri, fetch: watched }) })

const run = {
  query: async () => [(await client.query({ query: document })).data],
  mutation: async () => [(await client.mutate({ mutation: document })).data],
  subscription: () =>
    new Promise((resolve, reject) => {
      const seen = []
      client.subscribe({ query: document }).subscribe({
        next: ({ data, error }) => (error ? reject(error) : seen.push(data)),
        error: reject,
        complete: () => resolve(seen),
      })
    }),
}[document.definitions[0].operation]

await end(async () => {
  const got = await run().then(
    (results) => ({ results }),
    (error) => {
      if (!CombinedGraphQLErrors.is(error)) throw error
      return { errors: error.errors }
    },
  )
  client.stop()
  return { ...got, kept: Object.keys(client.extract()), exchanges }
})
