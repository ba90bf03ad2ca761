// urql: node urql.mjs URL DOCUMENT [get]. Answers every result and what was exchanged; `get` asks with GET.
import { Client, fetchExchange, gql } from '@urql/core'
import { end, exchanges, watched } from './outcome.mjs'

const [url, text, get] = process.argv.slice(2)
const document = gql(text)
const { operation } = document.definitions[0]
const client = new Client({
  url,
  fetch: watched,
  exchanges: [fetchExchange],
  fetchSubscriptions: true,
  preferGetMethod: get === 'get' ? 'force' : false,
})

await end(async () => {
  const results = []
  await new Promise((resolve) => {
    client[operation](document, {}).subscribe(({ data, error, hasNext }) => {
      // urql ends a stream by repeating its last result, with nothing to follow: that is no result of the server's.
      const closing = operation === 'subscription' && !error && !hasNext
      if (!closing) results.push({ data, network: error?.networkError?.message, errors: error?.graphQLErrors })
      if (error || !hasNext) resolve()
    })
  })
  return { results, exchanges }
})
