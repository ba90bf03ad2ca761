// @x402/fetch pays: node x402.mjs ADDRESS BODY, with KEY (of the house) and PURSE (of the payer) in its environment.
// Answers the status, the license, and what the house says of the settlement.
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { registerExactEvmScheme } from '@x402/evm/exact/client'
import { privateKeyToAccount } from 'viem/accounts'
import { end } from './outcome.mjs'

const [address, body] = process.argv.slice(2)

await end(async () => {
  const client = new x402Client()
  registerExactEvmScheme(client, { signer: privateKeyToAccount(process.env.PURSE) })
  const headers = { authorization: `Bearer ${process.env.KEY}`, 'content-type': 'application/json' }
  const answer = await wrapFetchWithPayment(fetch, client)(address, { method: 'POST', headers, body })
  const told = answer.headers.get('payment-response')
  return { status: answer.status, settled: told && decodePaymentResponseHeader(told), ...(await answer.json()) }
})
