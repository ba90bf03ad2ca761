// graphql-codegen's client preset: node codegen.mjs SCHEMA DOCUMENTS. Answers the documents it persists, by their ids.
import { generate } from '@graphql-codegen/cli'
import { end } from './clients/outcome.mjs'

const [schema, documents] = process.argv.slice(2)
const preset = {
  preset: 'client',
  presetConfig: { persistedDocuments: true },
  // A scalar that is not named here is an error: every custom scalar has a type in clients.
  config: { strictScalars: true, scalars: { Date: 'string', DateTime: 'string' } },
}

await end(async () => {
  const files = await generate({ schema, documents, silent: true, generates: { 'generated/': preset } }, false)
  return JSON.parse(files.find(({ filename }) => filename === 'generated/persisted-documents.json').content)
})
