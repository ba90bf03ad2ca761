// How every script here ends: its outcome as JSON on standard output, or one sentence on standard error and exit code 1.
// `watched` is a fetch that remembers what a client and the server exchanged, seen from below the client.
export const exchanges = []

export async function watched(input, init) {
  const response = await fetch(input, init)
  exchanges.push({
    method: init?.method ?? 'GET',
    status: response.status,
    type: response.headers.get('content-type'),
  })
  return response
}

export async function end(work) {
  try {
    console.log(JSON.stringify(await work()))
  } catch (error) {
    // A WebSocket that was closed rejects with its close event.
    console.error(error.message ?? `closed with ${error.code} ${error.reason}`)
    process.exit(1)
  }
}
