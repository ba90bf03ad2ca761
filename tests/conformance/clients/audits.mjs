// graphql-http's audits of a server: node audits.mjs URL. Answers what each of them found.
import { serverAudits } from 'graphql-http'
import { end } from './outcome.mjs'

const [url] = process.argv.slice(2)

await end(async () => {
  const found = []
  for (const audit of serverAudits({ url })) {
    const { status, reason } = await audit.fn()
    found.push({ id: audit.id, name: audit.name, status, reason })
  }
  return found
})
