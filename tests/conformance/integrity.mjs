// Digital Bazaar's verifier of W3C Data Integrity: given a file of { keys: the DID document, documents: [...] }, it
// answers for each document whether its proof is good, and what is wrong where it is not.
import { readFileSync } from 'node:fs'
import { DataIntegrityProof } from '@digitalbazaar/data-integrity'
import { createVerifyCryptosuite } from '@digitalbazaar/eddsa-jcs-2022-cryptosuite'
import jsigs from 'jsonld-signatures'

const { keys, documents } = JSON.parse(readFileSync(process.argv[2]))
const known = new Map([[keys.id, keys]])
for (const method of keys.verificationMethod) {
  known.set(method.id, { '@context': 'https://w3id.org/security/multikey/v1', ...method })
}

// Nothing is fetched: what is not among the keys is not there.
async function documentLoader(url) {
  if (!known.has(url)) throw new Error(`nothing is known of ${url}`)
  return { contextUrl: null, documentUrl: url, document: known.get(url) }
}

const answers = []
for (const document of documents) {
  const suite = new DataIntegrityProof({ cryptosuite: createVerifyCryptosuite() })
  const purpose = new jsigs.purposes.AssertionProofPurpose()
  const { verified, error } = await jsigs.verify(document, { suite, purpose, documentLoader })
  answers.push({ verified, errors: (error?.errors ?? []).map(({ message }) => message) })
}
console.log(JSON.stringify(answers))
