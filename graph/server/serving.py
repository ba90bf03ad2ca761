"""Starting and serving: the database found or started, migrated, filled the first time, and the server around it."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys
from importlib import resources

import structlog
import uvicorn
from rich.console import Console
from rich.progress import Progress

from db.engine import Database
from domain.accounts import ANONYMOUS
from graph.server.admission import ConnectionLimits
from graph.server.app import Application, create_app
from graph.server.guard import name_request
from graph.server.health import DrainingServer
from graph.server.keeping import keep_heat, keep_log
from graph.server.protocol import CassetProtocol
from graph.server.requests import LARGEST_BODY
from graph.server.settings import Settings
from graph.server.signers import keys_of, signer_of
from graph.server.socket_protocol import CassetSocketProtocol
from graph.server.tidying import keep_what_is_made, tidy
from graph.server.worker import begin_rounds, rounds_of, work, workshop_of
from resolvers.context import Acting, now, uuid7
from resolvers.demo import is_empty, load_demo

BACKLOG = 2048
TURN = 0.0005
"""Seconds that the workbench's thread works on while the event loop waits: it waits so at every single event."""


def log_plainly() -> None:
    """One JSON object a line on standard error, tracebacks without the values of variables: those hold secrets."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            name_request,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def serving(settings: Settings, database: Database, port: int, console: Console, *, demo: bool) -> None:
    """Serve until told to stop."""
    log_plainly()
    _allow_many_files()
    signer = signer_of(settings)
    if demo:
        await _fill(database, console)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        console.print(f"Port {port} is taken. Choose another with --port, or --port 0 for a free one.")
        raise SystemExit(1) from None
    app = create_app(settings, database)
    server = server_of(app)
    keep_what_is_made()
    sys.setswitchinterval(TURN)
    # Who comes as soon as the address is said waits a moment, and is not turned away.
    listening.listen(BACKLOG)
    _say_what_to_open(console, listening.getsockname()[1])
    draining = app.health.draining
    working = asyncio.gather(
        work(workshop_of(app.studio, keys_of(settings), app.anchorer), draining),
        begin_rounds(rounds_of(app.studio, keys_of(settings), app.anchorer), draining),
        keep_log(database, signer, draining),
        keep_heat(database, draining),
        tidy(lambda: app.gone, draining),
    )
    try:
        await server.serve(sockets=[listening])
    finally:
        draining.set()
        await working
        # The last jobs may have outlived the application, and connected again.
        await database.close()


def server_of(app: Application) -> DrainingServer:
    """The server around an application, as it is set up wherever it runs."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=CassetProtocol,
        ws=CassetSocketProtocol,
        ws_max_size=LARGEST_BODY,
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        server_header=False,
        # What a client says of its own address is no address.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    return DrainingServer(config, app.health.draining)


def _allow_many_files() -> None:
    """Raise the soft limit of open files, often 1,024, as far as the connections we admit need it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * ConnectionLimits().connections
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _fill(database: Database, console: Console) -> None:
    """Load the demo scene where there is nothing yet."""
    await database.open()
    with contextlib.ExitStack() as closing:
        if await is_empty(database):
            bar = closing.enter_context(Progress(console=console, transient=True))
            task = bar.add_task("Building the demo scene", total=None)
            acting = Acting(database, ANONYMOUS, now, uuid7)
            await load_demo(acting, lambda done, total: bar.update(task, completed=done, total=total))
    await database.close()


def _say_what_to_open(console: Console, port: int) -> None:
    query = resources.files("graph.server").joinpath("graphiql", "example.graphql").read_text()
    address = f"http://127.0.0.1:{port}/graphql"
    console.print(f"Casset is open: {address}", highlight=False)
    console.print("A query to begin with:\n", highlight=False)
    console.print(query, highlight=False, markup=False, soft_wrap=True)
    asked = "{ artists(first: 5) { nodes { handle name } } }"
    console.print(
        f"curl -s {address} -H 'content-type: application/json' -d '{{\"query\": \"{asked}\"}}'\n",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
