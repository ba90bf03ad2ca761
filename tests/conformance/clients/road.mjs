// A road to a server that can be closed: who is on it is thrown off, and nobody gets on.
import { connect, createServer } from 'node:net'

export function road(url) {
  const { port, hostname, pathname } = new URL(url)
  const sockets = new Set()
  let closed = false
  const server = createServer((near) => {
    if (closed) return near.destroy()
    const far = connect(port, hostname)
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => (sockets.delete(socket), other.destroy()))
    }
    near.pipe(far).pipe(near)
  })
  const close = () => {
    closed = true
    for (const socket of sockets) socket.destroy()
  }
  return new Promise((done) => {
    server.listen(0, hostname, () => {
      const through = `http://${hostname}:${server.address().port}${pathname}`
      done({ through, close, open: () => (closed = false), end: () => (close(), server.close()) })
    })
  })
}
