"""`casset agents`: makes what is made of the operation documents, or looks whether it is as it would be made."""

from __future__ import annotations

import typer

from graph.server.command import complaints, console

app = typer.Typer(
    name="agents", no_args_is_help=True, help="The operations that programs are offered over HTTP and as tools."
)


@app.command()
def build() -> None:
    """Write the contract, OpenAPI and the tools; refused where a document is wrong or a promise would be broken."""
    from graph.agents.building import FOLDER, stale

    files = _built()
    for name in stale(files):
        (FOLDER / name).write_bytes(files[name])
        console.print(f"{name} written.")


@app.command()
def check() -> None:
    """Look whether the documents are good, no promise is broken, and what is checked in is as it would be made."""
    from graph.agents.building import stale

    old = stale(_built())
    for name in old:
        complaints.print(f"{name} is not as it would be made. Run: casset agents build", soft_wrap=True)
    if old:
        raise typer.Exit(1)
    console.print("The contract is as it says.")


def _built() -> dict[str, bytes]:
    from graph.agents.building import NotOffered, built
    from graph.schema import executable

    try:
        return dict(built(executable()))
    except NotOffered as refused:
        for line in refused.problems:
            complaints.print(line, soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(1) from None
