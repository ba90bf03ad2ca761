"""The asset layer: accounts, artists, the four kinds of asset, lineage, rights, releases, provenance, rooms."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything; the statements stand beside this file."""
    script = Path(__file__).with_suffix(".sql").read_text()

    async def run(driver: Any) -> None:
        await driver.execute(script)

    # A script of many statements goes through the driver's own `execute`; a prepared statement takes one.
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(run)


def downgrade() -> None:
    """There is nothing before the first revision but an empty schema."""
    raise NotImplementedError("An empty database is made, not migrated to.")
