// @modelcontextprotocol/sdk: node mcp.mjs URL TOOL ARGUMENTS. Answers the names of the tools, and what one of them says.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { end } from './outcome.mjs'

const [url, name, given] = process.argv.slice(2)

await end(async () => {
  const client = new Client({ name: 'conformance', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  const { tools } = await client.listTools()
  const told = await client.callTool({ name, arguments: JSON.parse(given) })
  await client.close()
  return { tools: tools.map((tool) => tool.name), isError: told.isError ?? false, told: told.structuredContent }
})
