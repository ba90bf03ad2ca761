// Link previews, as an outside parser of the Open Graph protocol reads them: node previews.mjs ADDRESS…
// Answers for each address what it found, what oEmbed tells there, and what the picture is.
import ogs from 'open-graph-scraper'
import { end } from './outcome.mjs'

// On a page with a port of its own.
const urlValidatorSettings = { require_host: true, require_tld: false, require_protocol: true, protocols: ['http', 'https'] }

async function preview(url) {
  const { error, result, html } = await ogs({ url, urlValidatorSettings })
  if (error) throw new Error(`${url}: ${result.error}`)
  // What a consumer of oEmbed looks for.
  const link = html.match(/<link rel="alternate" type="application\/json\+oembed" href="([^"]+)"/)
  const oembed = await (await fetch(link[1].replaceAll('&amp;', '&'))).json()
  const picture = await fetch(result.ogImage[0].url)
  const bytes = new DataView(await picture.arrayBuffer())
  return {
    found: result,
    oembed,
    picture: { type: picture.headers.get('content-type'), width: bytes.getUint32(16), height: bytes.getUint32(20), size: bytes.byteLength },
  }
}

await end(async () => Object.fromEntries(await Promise.all(process.argv.slice(2).map(async (url) => [url, await preview(url)]))))
